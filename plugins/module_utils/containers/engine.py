# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Docker or Podman by its command line: find the one that answers, look at images, run long commands into a log."""

# No module is at hand here, and its run_command does not write a long output to a file as it comes.
# pylint: disable=ansible-bad-function

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.common.progress import say

# Where system tools live, also for a login whose PATH has no sbin.
SYSTEM_PATHS = "/usr/sbin:/sbin:/usr/local/sbin"
PROBE_SECONDS = 20
LAST_LINES = 25
# As AnsibleModule wants it; documented by the fragment container_engine.
ENGINE_OPTION: dict[str, dict[str, Any]] = {
    "engine": {"type": "str", "choices": ["auto", "docker", "podman"], "default": "auto"},
}


class EngineError(Exception):
    """The engine is missing or a command of it failed; the text is for the user."""


@dataclass(frozen=True)
class Engine:
    """One container engine. ``environment`` is added to this process' own for every command."""

    kind: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def query(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a short command and return its result, whatever its exit code."""
        return subprocess.run(
            [self.kind, *arguments],
            env=system_environment(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def must(self, purpose: str, *arguments: str) -> str:
        """Standard output of a short command; EngineError "<purpose> failed: ..." when it fails."""
        result = self.query(*arguments)
        if result.returncode:
            raise EngineError(f"{purpose} failed: {result.stderr.strip() or result.stdout.strip()}")
        return result.stdout.strip()

    def image(self, name: str, label: str = "") -> tuple[str, str] | None:
        """Id of a local image and the value of one of its labels ("" when it has none); None when there is no image."""
        result = self.query("image", "inspect", name)
        if result.returncode == 0:
            found = json.loads(result.stdout)[0]
            labels = (found.get("Config") or {}).get("Labels") or {}
            return found["Id"].removeprefix("sha256:"), labels.get(label, "")
        problem = result.stderr.lower()
        if "no such image" in problem or "image not known" in problem or "failed to find image" in problem:
            return None
        raise EngineError(f"Looking for the image {name} failed: {result.stderr.strip()}")

    def storage(self) -> str:
        """Directory in which the engine keeps images; a remote engine's directory need not exist here."""
        key = "{{.DockerRootDir}}" if self.kind == "docker" else "{{.Store.GraphRoot}}"
        return self.must("Asking the engine for its storage directory", "info", "--format", key)


def system_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process' environment with the system tools on PATH, plus ``extra``."""
    path = f"{os.environ.get('PATH', '/usr/bin:/bin')}:{SYSTEM_PATHS}"
    return {**os.environ, "PATH": path, **(extra or {})}


def which(tool: str) -> str | None:
    """Path of a program, also in the system directories."""
    return shutil.which(tool, path=system_environment()["PATH"])


def docker_answers() -> bool:
    """Whether a Docker daemon answers. Podman's ``docker`` look-alike reports no server and does not count."""
    if which("docker") is None:
        return False
    try:
        result = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            env=system_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0 and bool(result.stdout.strip())


def find_engine(wanted: str = "auto") -> Engine:
    """The engine to use: Docker when its daemon answers, else Podman. EngineError when there is none."""
    if wanted in ("auto", "docker") and docker_answers():
        return Engine("docker", {"DOCKER_BUILDKIT": "1"})
    if wanted == "docker":
        raise EngineError("The Docker daemon does not answer `docker version`; start it, or choose the engine podman.")
    if which("podman"):
        return Engine("podman")
    if wanted == "podman":
        raise EngineError("Podman is not installed; install it, or choose the engine docker.")
    raise EngineError(
        "No container engine found: no Docker daemon answers and Podman is not installed. "
        "Start Docker or install one of them, then run again."
    )


def run_logged(
    purpose: str,
    command: Iterable[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    hint: str = "",
) -> None:
    """Append a long command's output to ``log`` while it runs; EngineError with the last lines when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    say(purpose)
    with log.open("ab") as output:
        result = subprocess.run(
            list(command),
            env=system_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
        raise EngineError(
            f"{purpose} failed (exit code {result.returncode}). {hint}".rstrip()
            + "\n".join([f"\nThe full output is in {log}; its last lines:", *lines])
        )


def require_free_space(directories: Iterable[str | Path], gibibytes: float, purpose: str) -> None:
    """EngineError unless every directory (or its nearest existing parent) is on a disk with that much free space."""
    for directory in directories:
        place = Path(directory)
        while not place.exists():
            place = place.parent
        free = shutil.disk_usage(place).free / 2**30
        if free < gibibytes:
            raise EngineError(
                f"{purpose} needs {gibibytes:.3g} GiB of free disk space, and {directory} has {free:.1f} GiB. "
                "Free some (unused images: `podman image prune` or `docker image prune`), then run again."
            )
