# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds workers that have stopped consuming: they ran no task for minutes although tasks waited. Stops none itself.

Such a worker passes its health check because its event loop still runs, so ECS keeps it and it counts as capacity.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sm2a_autoscaler.fleet.ecs_tasks import Worker

# A healthy worker takes a visible message within a long poll of 20 s.
IDLE_LIMIT_SECONDS = 180.0
# A worker of this age has been ready for a while.
SETTLED_SECONDS = 300.0
# Between two stops in one group, so that the first replacement can take tasks.
PAUSE_SECONDS = 300.0
# After a longer gap between two observations a worker may have run tasks unseen, so its idle time starts anew.
GAP_SECONDS = 60.0


@dataclass(frozen=True)
class Suspect:
    """A worker that took no task for ``idle_seconds`` although tasks waited."""

    worker: Worker
    idle_seconds: float


@dataclass
class Watchdog:
    """The idle times of the workers of one group. Times are monotonic seconds."""

    _idle_since: dict[str, float] = field(default_factory=dict, init=False)
    _observed_at: float = field(default=float("-inf"), init=False)
    _stopped_at: float = field(default=float("-inf"), init=False)

    def suspects(
        self, workers: Sequence[Worker], busy: Collection[str | None], now: float, wall: float
    ) -> tuple[Suspect, ...]:
        """Workers idle for too long while tasks wait, the longest idle first; none shortly after a stop."""
        known = self._idle_since if now - self._observed_at <= GAP_SECONDS else {}
        self._observed_at = now
        idle = [worker for worker in workers if worker.healthy and worker.address not in {None, *busy}]
        self._idle_since = {worker.arn: known.get(worker.arn, now) for worker in idle}
        if now - self._stopped_at < PAUSE_SECONDS:
            return ()
        suspects = [
            Suspect(worker, now - self._idle_since[worker.arn])
            for worker in idle
            if worker.started_at is not None and wall - worker.started_at >= SETTLED_SECONDS
        ]
        late = [suspect for suspect in suspects if suspect.idle_seconds >= IDLE_LIMIT_SECONDS]
        return tuple(sorted(late, key=lambda suspect: -suspect.idle_seconds))

    def reset(self) -> None:
        """No task is waiting, so idleness is expected."""
        self._idle_since = {}

    def stopped(self, now: float) -> None:
        """Record that a worker of the group was stopped."""
        self._stopped_at = now
