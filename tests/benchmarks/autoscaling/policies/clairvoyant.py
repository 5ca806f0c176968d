# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The bound: a policy that knows every arrival and every duration, but not how long a start-up takes."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import replace

from ..simulation.model import Cloud, Order, Platform, Victims, View, Workload
from ..simulation.simulator import simulate
from .peers import Fixed

# The 90th percentile of the standard normal distribution.
Z_90 = 1.2816


class Clairvoyant:
    """Has the workers ready that the largest fleet would use at any moment, and keeps those that pay to be kept.

    A worker that is needed again within a start-up costs less when it stays: its next start would be paid for as well.
    """

    def __init__(self, workload: Workload, cloud: Cloud, seed: int, tick_seconds: float) -> None:
        full = replace(cloud, minimum=cloud.maximum)
        played = simulate(workload, Fixed(cloud.maximum), Platform(60.0, Victims.PROTECTED), full, seed, record=True)
        self._times, self._slots = steps(played.busy)
        lead = cloud.start_up_median * math.exp(Z_90 * cloud.start_up_sigma)
        self._window = lead + tick_seconds + cloud.order_seconds

    def order(self, view: View) -> Order:
        """The largest need from now until a worker ordered at the next tick would be ready."""
        first = max(0, bisect_right(self._times, view.now) - 1)
        last = bisect_right(self._times, view.now + self._window)
        slots = max(self._slots[first:last], default=0)
        return Order(-(-slots // view.cloud.concurrency))


def steps(intervals: list[tuple[float, float]]) -> tuple[list[float], list[int]]:
    """From (start, end) of tasks to the times at which the number of running tasks changes, and that number."""
    changes = sorted([(start, 1) for start, _ in intervals] + [(end, -1) for _, end in intervals])
    times, counts, running = [0.0], [0], 0
    for at, change in changes:
        running += change
        times.append(at)
        counts.append(running)
    return times, counts
