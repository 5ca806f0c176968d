# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Seconds of CPU that containers and processes have used so far, as the kernel counts them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def of_containers(containers: Iterable[str]) -> float:
    """Of all processes that these containers (``<engine>:<id>``) have had, together."""
    return sum(_of_cgroup(Path(f"/proc/{_process(container)}/cgroup").read_text()) for container in containers)


def of_processes(folders: Iterable[Path]) -> float:
    """Of the processes with these /proc folders, together."""
    ticks = (ticks_of((folder / "stat").read_text()) for folder in folders)
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def ticks_of(stat: str) -> int:
    """User and system time in /proc/<pid>/stat, whose second field may hold anything in brackets."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def cgroup_path(lines: str, controller: str) -> str | None:
    """Path of the controller's cgroup in /proc/<pid>/cgroup; "" is the one of version 2."""
    for line in lines.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return None


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What came in between."""
    return {name: after[name] - before[name] for name in before}


def _process(container: str) -> str:
    engine, _, identifier = container.partition(":")
    command = [engine, "inspect", "--format", "{{.State.Pid}}", identifier]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _of_cgroup(lines: str) -> float:
    if old := cgroup_path(lines, "cpuacct"):
        return int((CGROUPS / f"cpuacct{old}/cpuacct.usage").read_text()) / 1e9
    statistics = (CGROUPS / f"{cgroup_path(lines, '') or ''}".lstrip("/") / "cpu.stat").read_text()
    return int(dict(line.split() for line in statistics.splitlines())["usage_usec"]) / 1e6
