# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulation as a policy sees it at a tick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sm2a_autoscaler.decision.model import Demand, Upcoming
from sm2a_autoscaler.look_ahead.start_times import Outstanding, expected_tasks

from .instances import Instance
from .model import Cloud, Run
from .workers import Phase

if TYPE_CHECKING:
    from .simulator import Simulation

# How far the database is asked to look ahead.
HORIZON_SECONDS = 300.0


class Snapshot:
    """Counts are taken at once; the rest is worked out only for a policy that asks for it."""

    def __init__(self, simulation: Simulation) -> None:
        workers = simulation.fleet.counted()
        self._simulation = simulation
        self.now = simulation.events.now
        self.cloud: Cloud = simulation.cloud
        self.queued = len(simulation.queue)
        self.running = len(simulation.running)
        self.desired = simulation.fleet.desired
        self.starting = sum(worker.phase is Phase.STARTING for worker in workers)
        self.ready = len(workers) - self.starting
        self.busy = sum(bool(worker.tasks) for worker in simulation.fleet.workers)
        self.protected = sum(worker.protected(self.now) for worker in workers if worker.phase is Phase.READY)

    def demand(self) -> Demand:
        """All that the metadata database would tell."""
        simulation = self._simulation
        remaining = (
            simulation.durations.remaining(item.task.kind, self.now - item.started_at, self.now)
            for item in simulation.running.values()
        )
        kinds = Counter(item.task.kind for item in (*simulation.queue, *simulation.running.values()))
        return Demand(
            queued=self.queued,
            running=self.running,
            read_at=self.now,
            busy_workers=self.busy,
            remaining_seconds=tuple(seconds for seconds in remaining if seconds is not None),
            upcoming=tuple(self._upcoming()),
            mean_task_seconds=simulation.durations.mean(kinds, self.now),
            unscheduled_rate=simulation.arrivals.rate(self.now),
        )

    def start_up_seconds(self) -> float | None:
        """The 90th percentile of the start-ups so far."""
        return self._simulation.fleet.start_ups.percentile()

    def _upcoming(self) -> Iterator[Upcoming]:
        """What is still to come of the runs that began, and of those that are due by schedule."""
        simulation = self._simulation
        for state in simulation.open_runs.values():
            yield from expected_tasks(self._outstanding(state.instances), HORIZON_SECONDS)
        for run in simulation.schedule.due(self.now, self.now + HORIZON_SECONDS):
            yield from expected_tasks(self._announced(run), HORIZON_SECONDS)

    def _outstanding(self, instances: Sequence[Instance]) -> Iterator[Outstanding]:
        """The tasks of a run that have not ended, with their parents counted among these."""
        positions: dict[int, int] = {}
        for instance in instances:
            if instance.done:
                continue
            parents = tuple(positions[parent.key] for parent in instance.parents if not parent.done)
            starts_in = None if parents else 0.0
            if instance.key in self._simulation.running:
                starts_in = instance.started_at - self.now
            positions[instance.key] = len(positions)
            yield Outstanding(parents, starts_in, self._simulation.durations.of(instance.task.kind, self.now))

    def _announced(self, run: Run) -> Iterator[Outstanding]:
        for task in run.tasks:
            starts_in = None if task.parents else run.at - self.now
            yield Outstanding(task.parents, starts_in, self._simulation.durations.of(task.kind, self.now))
