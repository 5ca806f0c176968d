# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How long a slot of a worker stays empty between two tasks, from what the worker writes: the broker decides that."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from datetime import datetime

LINE = re.compile(r"^(\S+)\s.*Task execute_workload\[[^\]]+\] (received|succeeded)")


def empty_seconds(lines: Iterable[str]) -> list[float]:
    """From the end of each task of one worker to the next message that it receives for the slot.

    The slot that has waited longest is filled first; one that is not filled any more does not count.
    """
    events = sorted((datetime.fromisoformat(found[1]), found[2]) for found in map(LINE.match, lines) if found)
    free: deque[datetime] = deque()
    gaps = []
    for at, event in events:
        if event == "succeeded":
            free.append(at)
        elif free:
            gaps.append((at - free.popleft()).total_seconds())
    return gaps
