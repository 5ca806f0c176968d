#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: container_engine
short_description: Find a container engine, or start Podman's service
version_added: 0.1.0
description:
  - Finds a Docker daemon that answers. Where there is none, starts a private service of Podman that speaks Docker's API
    on a Unix socket.
  - Podman has to be run by root here, because the host must reach the container network.
  - Nothing is installed. On Debian and Ubuntu the packages that Podman lacks are returned instead of an error.
author:
  - SM2A contributors (@sm2a)
options:
  directory:
    description: Where Podman's service keeps its socket, log and process id.
    type: path
    required: true
  containers_conf:
    description: Podman's C(containers.conf). The service is restarted when its content changed.
    type: path
  plain_http_registries:
    description:
      - Hosts and ports from which Podman's service may pull without TLS. The service is restarted when they changed.
      - Docker allows it for addresses of this machine itself.
    type: list
    elements: str
    default: []
  state:
    description: V(stopped) ends Podman's service; a Docker daemon is never stopped.
    type: str
    choices: [started, stopped]
    default: started
extends_documentation_fragment:
  - sm2a.airflow.attributes
  - sm2a.airflow.attributes.platform
  - sm2a.airflow.container_engine
"""

EXAMPLES = r"""
- name: Have an engine
  sm2a.airflow.container_engine:
    directory: /var/lib/sm2a/podman
    plain_http_registries: [127.0.0.1:4566]
  register: engine

- name: End Podman's service
  sm2a.airflow.container_engine:
    directory: /var/lib/sm2a/podman
    state: stopped
"""

RETURN = r"""
engine:
  description: The engine, V(docker) or V(podman).
  type: str
  returned: with O(state=started)
socket:
  description: Address of its Docker API, as for C(DOCKER_HOST).
  type: str
  returned: with O(state=started)
missing_packages:
  description: Debian packages to install before Podman can be started. When there are any, nothing was started.
  type: list
  elements: str
  returned: with O(state=started)
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import (
    ENGINE_OPTION,
    Engine,
    EngineError,
    docker_answers,
    which,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.podman_service import PodmanService

# Debian package -> program that shows that it is there. catatonit is the init process that tasks may ask for.
PODMAN_PACKAGES = {
    "podman": "podman",
    "runc": "runc",
    "netavark": "netavark",
    "aardvark-dns": "aardvark-dns",
    "iptables": "iptables",
    "catatonit": "catatonit",
    "debootstrap": "debootstrap",
}
# Where Podman keeps its helpers, next to PATH.
HELPER_DIRECTORIES = ("/usr/lib/podman", "/usr/libexec/podman", "/usr/local/lib/podman", "/usr/local/libexec/podman")
# Podman can do without it as long as a registry is reachable.
NOT_ESSENTIAL = ("debootstrap",)


def is_there(program: str) -> bool:
    """Whether a program is on PATH or among Podman's helpers."""
    return which(program) is not None or any(Path(place, program).exists() for place in HELPER_DIRECTORIES)


def docker_socket() -> str:
    """Address of the Docker daemon that the command line talks to."""
    return Engine("docker").must(
        "Asking Docker for its address", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"
    )


def missing_packages() -> list[str]:
    """Debian packages that Podman lacks; EngineError where this module's user has to install them otherwise."""
    missing = [package for package, program in PODMAN_PACKAGES.items() if not is_there(program)]
    if missing and which("apt-get") is None:
        essential = [package for package in missing if package not in NOT_ESSENTIAL]
        if essential:
            raise EngineError(
                f"No container engine found: no Docker daemon answers, and Podman lacks {', '.join(essential)}. "
                "Start Docker, or install these with this system's package manager, then run again."
            )
        return []
    return missing


def ensure_started(engine: str, service: PodmanService, check_mode: bool) -> dict[str, Any]:
    """Result with ``changed``, ``engine``, ``socket`` and ``missing_packages``."""
    if engine in ("auto", "docker") and docker_answers():
        return {"changed": False, "engine": "docker", "socket": docker_socket(), "missing_packages": []}
    if engine == "docker":
        raise EngineError(
            "The Docker daemon does not answer `docker version`. Start it, or choose another engine, then run again."
        )
    if os.geteuid() != 0:
        raise EngineError(
            "No container engine found: no Docker daemon answers, and only root can use Podman here. "
            "Start Docker, or run again as root (sudo)."
        )
    missing = missing_packages()
    changed = bool(missing) or not service.is_current()
    if changed and not missing and not check_mode:
        service.start()
    result = {"changed": changed, "engine": "podman", "socket": service.socket_url, "missing_packages": missing}
    return {**result, "diff": diff("running")} if changed else result


def ensure_stopped(service: PodmanService, check_mode: bool) -> dict[str, Any]:
    """Result with ``changed``."""
    changed = service.is_there() if check_mode else service.stop()
    return {"changed": changed, "diff": diff("stopped")} if changed else {"changed": False}


def diff(after: str) -> Mapping[str, Any]:
    """What ``--diff`` shows."""
    before = "stopped" if after == "running" else "running"
    return {"before": {"podman_service": before}, "after": {"podman_service": after}}


def main() -> None:
    """Report the engine, or that the service has ended."""
    module = AnsibleModule(
        argument_spec={
            **ENGINE_OPTION,
            "directory": {"type": "path", "required": True},
            "containers_conf": {"type": "path"},
            "plain_http_registries": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
        },
        supports_check_mode=True,
    )
    options = module.params
    containers_conf = Path(options["containers_conf"]).absolute() if options["containers_conf"] else None
    service = PodmanService(
        Path(options["directory"]).absolute(), containers_conf, tuple(options["plain_http_registries"])
    )
    try:
        if options["state"] == "stopped":
            module.exit_json(**ensure_stopped(service, module.check_mode))
        module.exit_json(**ensure_started(options["engine"], service, module.check_mode))
    except EngineError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
