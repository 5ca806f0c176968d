# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Which worker has stopped consuming: it runs nothing for minutes while its queue waits. Nothing here does anything.

Such a worker passes its health check (its event loop lives), so ECS keeps it, and it counts as capacity.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sm2a_autoscaler.fleet.ecs_tasks import Worker

# A healthy worker takes a visible message within a long poll of 20 s.
PATIENCE_SECONDS = 180.0
# A worker of this age has surely been ready for a while.
SETTLED_SECONDS = 300.0
# Between two stops in one group: the first one's successor shows whether it helped.
PAUSE_SECONDS = 300.0
# Idleness is a fact only while the looks at it follow each other closely.
GAP_SECONDS = 60.0


@dataclass(frozen=True)
class Suspect:
    """A worker that took no task for so many seconds while some waited."""

    worker: Worker
    idle_seconds: float


@dataclass
class Watchdog:
    """The memory of one worker group. Times are monotonic seconds."""

    _idle_since: dict[str, float] = field(default_factory=dict, init=False)
    _looked_at: float = field(default=float("-inf"), init=False)
    _stopped_at: float = field(default=float("-inf"), init=False)

    def look(
        self, workers: Sequence[Worker], busy: Collection[str | None], now: float, wall: float
    ) -> tuple[Suspect, ...]:
        """Suspects while tasks wait, the longest idle first; none so soon after a stop."""
        known = self._idle_since if now - self._looked_at <= GAP_SECONDS else {}
        self._looked_at = now
        idle = [worker for worker in workers if worker.healthy and worker.address not in {None, *busy}]
        self._idle_since = {worker.arn: known.get(worker.arn, now) for worker in idle}
        if now - self._stopped_at < PAUSE_SECONDS:
            return ()
        suspects = [
            Suspect(worker, now - self._idle_since[worker.arn])
            for worker in idle
            if worker.started_at is not None and wall - worker.started_at >= SETTLED_SECONDS
        ]
        late = [suspect for suspect in suspects if suspect.idle_seconds >= PATIENCE_SECONDS]
        return tuple(sorted(late, key=lambda suspect: -suspect.idle_seconds))

    def rest(self) -> None:
        """Nothing waits: whoever is idle has an excuse."""
        self._idle_since = {}

    def stopped(self, now: float) -> None:
        """A worker of the group was stopped."""
        self._stopped_at = now
