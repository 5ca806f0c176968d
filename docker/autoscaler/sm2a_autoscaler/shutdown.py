# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A pause that SIGTERM and SIGINT end at once, while a tick in progress always finishes."""

from __future__ import annotations

import select
import signal
import socket
from types import FrameType


class Shutdown:
    """Records that a stop was requested.

    The handler writes to a socket on which ``wait`` sleeps: a threading.Event could deadlock when the signal arrives
    while its lock is held.
    """

    def __init__(self) -> None:
        self._waker, self._sleeper = socket.socketpair()
        self._waker.setblocking(False)
        self.requested = False

    def listen(self) -> None:
        """Install the handlers; main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def request(self) -> None:
        """Request a stop."""
        if not self.requested:
            self.requested = True
            self._waker.send(b"\0")

    def wait(self, seconds: float) -> bool:
        """Sleep until the time is over or a stop is requested; True for the latter."""
        if not self.requested:
            select.select([self._sleeper], [], [], seconds)
        return self.requested

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.request()
