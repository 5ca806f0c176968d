# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Processes of this machine, told apart from others that get their number later."""

from __future__ import annotations

import os
import socket
import uuid
from contextlib import suppress
from pathlib import Path

# Zombies and dead ones, as /proc names them.
ENDED = (["Z"], ["X"])


def machine() -> str:
    """What tells apart machines, their boots and their containers: a process id means something only in one of them."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    return f"{socket.gethostname()}:{uuid.getnode():x}"


def _stat(pid: int) -> list[str]:
    """The members of /proc/<pid>/stat after the command's name; empty where the system does not tell."""
    with suppress(OSError):
        # The name, in parentheses, may contain spaces.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return []


def process_start(pid: int) -> str:
    """When a process started, in the system's own unit; empty where the system does not tell."""
    return "".join(_stat(pid)[19:20])


def is_running(pid: int, start: str) -> bool:
    """Whether the process that was started then still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    # One that has ended keeps its number until its parent asks for its result.
    return process_start(pid) == start and _stat(pid)[:1] not in ENDED


def age_seconds(pid: int) -> float | None:
    """How long a process has been running; None where the system does not tell."""
    with suppress(OSError, ValueError):
        up = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        return up - int(process_start(pid)) / os.sysconf("SC_CLK_TCK")
    return None
