# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The limit of a DAG run: of its tasks only ``max_active_tasks`` are active at once, the others wait for their turn."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator

from sm2a_autoscaler.decision.model import Upcoming

Expected = tuple[str, Upcoming]  # queue, tasks


def within_limit(
    expected: Iterable[Expected], active: Iterable[float], limit: int | None, horizon: float
) -> Iterator[Expected]:
    """The same tasks one by one, each no sooner than the limit lets it start; those beyond the horizon are left out.

    ``active`` is seconds until each active task of the run ends, infinite for one that nobody knows of.
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
            # The place that comes free first; what takes it ends later, so that none is given away twice.
            while ends and len(ends) >= limit:
                start = heapq.heappop(ends)
            if start > horizon or limit < 1:
                heapq.heappush(ends, start)
                break
            heapq.heappush(ends, math.inf if item.seconds is None else start + item.seconds)
            yield queue, Upcoming(start, 1, item.seconds)
