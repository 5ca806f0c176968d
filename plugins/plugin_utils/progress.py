# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A line in the output of ansible-playbook now and then while a module runs: what it is waiting for, and since when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERVAL_OPTION = "sm2a_progress_interval"
INTERVAL_SECONDS = 30


class Progress:
    """The lines of one run of a module. ``show`` prints one; no lines with an ``interval`` of 0."""

    def __init__(self, task: str, interval: float, show: Callable[[str], None], told: bool = True) -> None:
        self._task = task
        self._interval = interval
        self._show = show
        # Whether to tell what the module says: not with no_log.
        self._told = told
        self._state = ""
        self._started = time.monotonic()
        self._shown = self._started

    def hear(self, said: bytes) -> None:
        """Note what the module said last."""
        lines = [line for line in said.decode(errors="replace").splitlines() if line]
        if lines and self._told:
            self._state = lines[-1]

    def seconds_left(self) -> float | None:
        """Until the next line is due; None for never."""
        return max(0.0, self._shown + self._interval - time.monotonic()) if self._interval > 0 else None

    def show_if_due(self) -> None:
        """Print a line, if it is time for one."""
        if self.seconds_left() == 0:
            self._shown = time.monotonic()
            state = f": {self._state}" if self._state else ""
            self._show(f"{self._task}: {duration(self._shown - self._started)}{state}")

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Print lines from a thread, while this one waits for a module that says nothing."""
        ended = threading.Event()

        def keep_showing() -> None:
            while not ended.wait(self.seconds_left()):
                self.show_if_due()

        thread = threading.Thread(target=keep_showing, daemon=True)
        if self._interval > 0:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            if thread.is_alive():
                thread.join()


def duration(seconds: float) -> str:
    """4 min 30 s, and 1 h 5 min from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
