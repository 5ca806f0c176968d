# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The peers, after the description of each in its own words or code. All see exact counts without delay."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ..simulation.model import Order, View


def proportional(view: View) -> int:
    """Workers for all tasks that wait or run."""
    return -(-(view.queued + view.running) // view.cloud.concurrency)


@dataclass(frozen=True)
class Fixed:
    """Always so many workers."""

    workers: int

    def order(self, view: View) -> Order:
        """The same each time."""
        return Order(self.workers)


@dataclass(frozen=True)
class Original:
    """SM2A as it was: one worker more while the load is above 100 %, the idle ones fewer when nothing waits.

    ``divisor`` is its tasks a worker: the same argument as the maximum in the original ("literal"), or the concurrency.
    Without any worker, a task counts as a load above 100 %: read literally, it would never start the first one.
    """

    divisor: int

    def order(self, view: View) -> Order:
        """Called every 30 s."""
        need = (view.queued + view.running) / self.divisor
        workers = view.starting + view.ready
        load = int(100 * need / workers) if workers else 101 if need else 0
        if load > 100:
            return Order(min(view.desired + 1, view.cloud.maximum))
        if load < 100 and not view.queued:
            idle = max(0, view.ready - view.busy)
            return Order(max(0, view.desired - idle))
        return Order(view.desired)


@dataclass
class Keda:
    """KEDA's trigger of the Airflow chart, carried out by a horizontal pod autoscaler with its default behaviour.

    Down: to the largest need of the last 300 s. Up: at most four more or twice as many as 15 s ago.
    """

    _needs: deque[tuple[float, int]] = field(default_factory=deque)
    _added: deque[tuple[float, int]] = field(default_factory=deque)

    def order(self, view: View) -> Order:
        """Called every 5 s."""
        need = min(max(proportional(view), view.cloud.minimum), view.cloud.maximum)
        self._needs.append((view.now, need))
        while self._needs[0][0] <= view.now - 300:
            self._needs.popleft()
        while self._added and self._added[0][0] <= view.now - 15:
            self._added.popleft()
        if need <= view.desired:
            return Order(min(view.desired, max(size for _, size in self._needs)))
        before = view.desired - sum(count for _, count in self._added)
        workers = max(view.desired, min(need, max(before + 4, 2 * before)))
        self._added.append((view.now, workers - view.desired))
        return Order(workers)


@dataclass
class Mwaa:
    """Amazon MWAA: one-minute metrics, out at once, in after five minutes of a smaller need."""

    _needs: deque[int] = field(default_factory=lambda: deque(maxlen=5))

    def order(self, view: View) -> Order:
        """Called every 60 s."""
        need = min(max(proportional(view), view.cloud.minimum), view.cloud.maximum)
        self._needs.append(need)
        if need > view.desired:
            return Order(need)
        if len(self._needs) == self._needs.maxlen:
            return Order(min(view.desired, max(self._needs)))
        return Order(view.desired)


@dataclass
class TargetTracking:
    """Application Auto Scaling on the backlog a worker, target: its slots.

    Out in proportion after three one-minute points above the target. In after fifteen below nine tenths of it,
    gradually: a tenth of the workers, at least one, and then fifteen points again.
    """

    _above: int = 0
    _below: int = 0

    def order(self, view: View) -> Order:
        """Called every 60 s."""
        target = view.cloud.concurrency
        backlog = view.queued / max(1, view.ready)
        self._above = self._above + 1 if backlog > target else 0
        self._below = self._below + 1 if backlog < 0.9 * target else 0
        if self._above >= 3:
            self._above = 0
            return Order(min(view.cloud.maximum, -int(-view.desired * backlog // target)))
        if self._below >= 15:
            self._below = 0
            return Order(max(view.cloud.minimum, view.desired - max(1, view.desired // 10)))
        return Order(view.desired)
