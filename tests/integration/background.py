# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Something that goes on beside a test."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self


class Background:
    """Calls ``step`` in a thread, ``pause`` seconds apart, for as long as the ``with`` block lasts.

    At its end it waits for the last step, ``timeout`` seconds at most.
    """

    def __init__(self, pause: float, timeout: float) -> None:
        self._pause, self._timeout = pause, timeout
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(timeout=self._timeout)

    def step(self, second: float) -> None:
        """What is done each time, ``second`` seconds after the start."""
        raise NotImplementedError

    def _run(self) -> None:
        while not self._end.is_set():
            self.step(round(time.monotonic() - self._started, 1))
            self._end.wait(self._pause)
