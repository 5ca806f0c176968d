# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A process beside ansible-playbook that gives the run lock back when ansible-playbook has ended without doing so.

A run that ends by itself gives its lock back in its playbook and stops the watcher before. After SIGINT, SIGTERM or
SIGKILL no task runs any more: AWX cancels a job with SIGKILL to the process group of ansible-playbook. The watcher
therefore leaves that group. It cannot outlive its container.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from ansible_collections.sm2a.airflow.plugins.module_utils.common.processes import is_running, process_start

POLL_SECONDS = 1


def start(note: Path, pid: int, started: str, give_back: Callable[[], None]) -> None:
    """Watch the process ``pid`` that was ``started`` then; ``note`` takes the watcher's own. One watcher a note."""
    stop(note)
    watcher = os.fork()
    if watcher == 0:
        _watch(pid, started, give_back)
    with suppress(OSError):
        note.write_text(f"{watcher} {process_start(watcher)}", encoding="ascii")


def stop(note: Path) -> None:
    """End the watcher of a note, if there is one."""
    with suppress(OSError, ValueError):
        pid, started = note.read_text(encoding="ascii").split(" ", 1)
        if is_running(int(pid), started):
            os.kill(int(pid), signal.SIGTERM)
        note.unlink()


def _watch(pid: int, started: str, give_back: Callable[[], None]) -> NoReturn:
    """Be the watcher."""
    try:
        _leave()
        _wait_for_end(pid, started)
        give_back()
    finally:
        os._exit(0)


def _leave() -> None:
    """Be in no process group that is killed with the run, and hold nothing that somebody waits for to be closed."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in (signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(other, signal.SIG_IGN)
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _wait_for_end(pid: int, started: str) -> None:
    """Return when the process has ended."""
    with suppress(OSError, AttributeError):  # Neither everywhere in Python nor in every kernel.
        handle = os.pidfd_open(pid)
        if is_running(pid, started):
            select.select([handle], [], [])
        return
    while is_running(pid, started):
        time.sleep(POLL_SECONDS)
