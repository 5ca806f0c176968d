# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The clock of a simulation. What happens at one time happens in the order in which it was asked for."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Event = Callable[[], None]


class Events:
    """``now`` moves with the events."""

    def __init__(self) -> None:
        self.now = 0.0
        self._waiting: list[tuple[float, int, Event]] = []
        self._made = 0

    def at(self, time: float, event: Event) -> None:
        """Let that happen then."""
        self._made += 1
        heapq.heappush(self._waiting, (time, self._made, event))

    def after(self, seconds: float, event: Event) -> None:
        """Let that happen so much later."""
        self.at(self.now + seconds, event)

    def next(self) -> bool:
        """Let the next one happen; False when there is none."""
        if not self._waiting:
            return False
        self.now, _, event = heapq.heappop(self._waiting)
        event()
        return True
