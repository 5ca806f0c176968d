# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The ``max_active_tasks`` limit of a DAG run: so many of its tasks are active at once, the others wait."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator

from sm2a_autoscaler.decision.model import Upcoming

Expected = tuple[str, Upcoming]  # queue, tasks


def within_limit(
    expected: Iterable[Expected], active: Iterable[float], limit: int | None, horizon: float
) -> Iterator[Expected]:
    """The same tasks one by one, delayed until the limit allows their start; those beyond the horizon are left out.

    ``active`` has the seconds until each active task of the run ends, infinity where unknown.
    """
    ends = list(active)
    heapq.heapify(ends)
    for queue, item in sorted(expected, key=lambda entry: entry[1].in_seconds):
        if limit is None:
            yield queue, item
            continue
        while ends and ends[0] <= item.in_seconds:
            heapq.heappop(ends)
        for _ in range(item.tasks):
            start = item.in_seconds
            # Take the slot that becomes free first. Its new task ends later, so no slot is used twice.
            while ends and len(ends) >= limit:
                start = heapq.heappop(ends)
            if start > horizon or limit < 1:
                heapq.heappush(ends, start)
                break
            heapq.heappush(ends, math.inf if item.seconds is None else start + item.seconds)
            yield queue, Upcoming(start, 1, item.seconds)
