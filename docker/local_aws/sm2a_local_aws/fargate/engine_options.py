# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The engine's options of a task's container: a list of what may reach the engine. What is not here does not.

Made from the container definition alone, not from MiniStack's options, so that no parameter of a task definition has a
way to the machine: no privileges, host paths, devices, namespaces or published ports.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sm2a_local_aws import settings

Definition = dict[str, Any]
Options = dict[str, Any]

# What Docker gives a container, and Fargate as well, less two: on Fargate a task has a machine of its own, here it
# shares this one's network with others (NET_RAW: packets in their names) and its kernel (MKNOD: device files).
CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
# 1,024 units of Fargate are a processor. All containers of a task share them; here each may use as much.
NANO_CPUS_A_UNIT = 10**9 // 1024
# Fargate lets no other be added.
ADDABLE = frozenset({"SYS_PTRACE"})
ALL = "ALL"
TMPFS_OPTIONS = frozenset({"ro", "rw", "exec", "noexec", "nosuid", "nodev", "noatime", "relatime"})
# Podman makes these writable when the root is read-only; Fargate does not.
PODMAN_WRITABLE = ("/run", "/tmp", "/var/tmp")  # noqa: S108 (paths in a container)
# Read-only, with what the image has there.
AS_IN_IMAGE = "ro,tmpcopyup"


def of_container(definition: Definition, task_definition: Definition, task_id: str) -> Options:
    """Process, memory, volumes and privileges."""
    memory = definition.get("memory") or task_definition.get("memory")
    options = {
        "command": definition.get("command"),
        "entrypoint": definition.get("entryPoint"),
        "working_dir": definition.get("workingDirectory"),
        "user": definition.get("user"),
        "init": _linux(definition).get("initProcessEnabled"),
        "mem_limit": f"{int(memory)}m" if memory else None,
        "nano_cpus": int(task_definition["cpu"]) * NANO_CPUS_A_UNIT if settings.current().cpu_limits else None,
        "read_only": bool(definition.get("readonlyRootFilesystem")),
        "volumes": _binds(definition, task_definition, task_id),
        "tmpfs": _tmpfs(definition),
    }
    kept = {name: value for name, value in options.items() if value}
    return {**kept, "cap_drop": [ALL], "cap_add": capabilities(definition), "privileged": False}


def capabilities(definition: Definition) -> list[str]:
    """The Linux capabilities of the container: those to drop go first, then those to add come."""
    asked = _linux(definition).get("capabilities") or {}
    dropped, added = set(asked.get("drop") or ()), set(asked.get("add") or ())
    kept = frozenset() if ALL in dropped else CAPABILITIES - dropped
    return sorted(kept | (ADDABLE & added))


def volumes(task_definition: Definition) -> set[str]:
    """The names of the mounted volumes that live and die with the task."""
    containers = task_definition["containerDefinitions"]
    mounted = {mount["sourceVolume"] for container in containers for mount in container.get("mountPoints") or []}
    return {volume["name"] for volume in task_definition.get("volumes") or [] if _is_own(volume)} & mounted


def volume_name(task_id: str, volume: str) -> str:
    """The engine's name of a task's volume."""
    return f"{settings.current().name}-{task_id}-{volume}"


def for_podman(options: Options, definition: Definition) -> Options:
    """A read-only root stays read-only where podman would make it writable."""
    if not options.get("read_only"):
        return options
    mounted = {mount["containerPath"].rstrip("/") for mount in definition.get("mountPoints") or ()}
    tmpfs = options.get("tmpfs") or {}
    closed = {path: AS_IN_IMAGE for path in PODMAN_WRITABLE if path not in mounted}
    return {**options, "tmpfs": {**closed, **tmpfs}}


def is_podman(client: Any) -> bool:
    """Whether the engine behind the Docker API is podman."""
    components: Iterable[dict[str, Any]] = client.version().get("Components") or ()
    return any("podman" in str(component.get("Name")).lower() for component in components)


def _linux(definition: Definition) -> Definition:
    found: Definition = definition.get("linuxParameters") or {}
    return found


def _binds(definition: Definition, task_definition: Definition, task_id: str) -> list[str]:
    own = volumes(task_definition)
    return [
        f"{volume_name(task_id, mount['sourceVolume'])}:{mount['containerPath']}:{_mode(mount)}"
        for mount in definition.get("mountPoints") or ()
        if mount["sourceVolume"] in own
    ]


def _mode(mount: dict[str, Any]) -> str:
    return "ro" if mount.get("readOnly") else "rw"


def _tmpfs(definition: Definition) -> dict[str, str]:
    """`size` is in MiB."""
    return {
        mount["containerPath"]: ",".join(
            [f"size={int(mount['size'])}m", *(TMPFS_OPTIONS & set(mount.get("mountOptions") or ()))]
        )
        for mount in _linux(definition).get("tmpfs") or ()
    }


def _is_own(volume: dict[str, Any]) -> bool:
    """Whether it is an empty directory of the task, and no path of this machine or file system of another service."""
    kinds = {kind for kind, value in volume.items() if value and kind != "name"}
    return kinds <= {"host"} and not (volume.get("host") or {}).get("sourcePath")
