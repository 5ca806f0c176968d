# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Maintenance of single workers: measures start-up times, updates drain markers, and stops a worker that hangs.

It runs after the sizes were set, so that it cannot delay them, and reads the tasks of a group only when needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError

from sm2a_autoscaler.decision.model import (
    DRAIN_FROM_CONCURRENCY,
    Decision,
    Fleet,
    GroupNotes,
    GroupObservation,
    Signals,
    Source,
    WorkerGroup,
)
from sm2a_autoscaler.fleet.aws import AWS_ERRORS, throttled
from sm2a_autoscaler.fleet.drains import Draining, choose, update_markers
from sm2a_autoscaler.fleet.ecs_tasks import Worker, read_protection, read_workers
from sm2a_autoscaler.fleet.start_ups import StartUps
from sm2a_autoscaler.fleet.watchdog import Suspect, Watchdog
from sm2a_autoscaler.metadata.database import DatabaseError

PAUSE_SECONDS = 60.0  # after throttling or a lost connection
SUSPECTS_PER_TICK = 5  # that are checked again before one is stopped


@dataclass(frozen=True)
class Stop:
    """A worker that was stopped, or would have been but for the dry run, and the reason."""

    group: str
    worker: str
    reason: str
    dry_run: bool = False


@dataclass(frozen=True)
class MaintenanceReport:
    """What the maintenance of one tick did, and the problems it met."""

    stops: tuple[Stop, ...] = ()
    problems: tuple[str, ...] = ()
    # Number of draining workers by group; groups that were not inspected are absent.
    draining: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Maintenance:
    """Maintains the workers of all groups. ``busy`` reads the current number of running tasks by worker address."""

    ecs: Any
    cluster: str
    groups: Sequence[WorkerGroup]
    busy: Callable[[], Mapping[str, int]]
    monotonic: Callable[[], float]
    wall: Callable[[], float]
    start_ups: StartUps
    dry_run: bool = False
    _watchdogs: dict[str, Watchdog] = field(default_factory=dict, init=False)
    # Number of draining workers by group; a missing group means unknown, as after a start.
    _draining: dict[str, int] = field(default_factory=dict, init=False)
    _resume_at: float = field(default=float("-inf"), init=False)

    def run(self, signals: Signals, decisions: Sequence[Decision]) -> MaintenanceReport:
        """Maintain every group that needs it. Errors of AWS and of the database become problems in the report."""
        stops: list[Stop] = []
        problems: list[str] = []
        inspected: dict[str, int] = {}
        drain = {decision.group: decision.drain for decision in decisions}
        for group in self.groups:
            seen, notes = signals.observation.groups[group.name], signals.notes[group.name]
            if not tasks_wait(seen, notes):
                self._watchdog(group).reset()
            wanted = drain.get(group.name)
            if (
                seen.fleet is None
                or self.monotonic() < self._resume_at
                or not self._needs_inspection(group, seen, seen.fleet, notes, wanted)
            ):
                continue
            try:
                stops += self._maintain(group, seen.fleet, tasks_wait(seen, notes), wanted)
                inspected[group.name] = self._draining.get(group.name, 0)
            except (*AWS_ERRORS, DatabaseError) as error:
                problems.append(f"the workers of {group.name} could not be inspected: {error}")
                if isinstance(error, BotoCoreError) or throttled(error):
                    self._resume_at = self.monotonic() + PAUSE_SECONDS
        return MaintenanceReport(tuple(stops), tuple(problems), inspected)

    def _needs_inspection(
        self, group: WorkerGroup, seen: GroupObservation, fleet: Fleet, notes: GroupNotes, wanted: int | None
    ) -> bool:
        if seen.demand is None or seen.demand.source is not Source.DATABASE:
            return False
        starts = fleet.pending > 0 or self.start_ups.watching(group.service)
        return starts or tasks_wait(seen, notes) or self._drains(group, fleet, wanted)

    def _drains(self, group: WorkerGroup, fleet: Fleet, wanted: int | None) -> bool:
        """True when workers drain or must drain, and when this is unknown, as after a start."""
        if wanted is None:
            return False
        known = 0 if group.concurrency < DRAIN_FROM_CONCURRENCY else 1
        return wanted > 0 or bool(fleet.replaced) or self._draining.get(group.name, known) > 0

    def _maintain(self, group: WorkerGroup, fleet: Fleet, waiting: bool, wanted: int | None) -> list[Stop]:
        workers = read_workers(self.ecs, self.cluster, group.service)
        busy = self.busy()
        now, wall = self.monotonic(), self.wall()
        self.start_ups.observe(group.service, workers, busy, wall)
        drains = self._drains(group, fleet, wanted)
        if not drains and not waiting:
            return []
        protected = read_protection(self.ecs, self.cluster, [worker.arn for worker in workers])
        if drains:
            draining = choose(workers, busy, protected, wanted or 0, wall, replaced=replaced(workers, fleet))
            self._drain(group, draining)
        if not waiting:
            return []
        watchdog = self._watchdog(group)
        # A worker whose task ended between two reads is still protected for a moment.
        working = {*busy, *(worker.address for worker in workers if worker.arn in protected)}
        for suspect in watchdog.suspects(workers, working, now, wall)[:SUSPECTS_PER_TICK]:
            # Read both again: it may have taken a task meanwhile.
            if suspect.worker.address in self.busy():
                continue
            if not read_protection(self.ecs, self.cluster, [suspect.worker.arn]):
                watchdog.stopped(now)
                return [self._stop(group, suspect)]
        return []

    def _drain(self, group: WorkerGroup, draining: Draining) -> None:
        if not self.dry_run:
            update_markers(self.ecs, self.cluster, draining)
            self._draining[group.name] = draining.total

    def _watchdog(self, group: WorkerGroup) -> Watchdog:
        return self._watchdogs.setdefault(group.name, Watchdog())

    def _stop(self, group: WorkerGroup, suspect: Suspect) -> Stop:
        reason = f"it took no task for {suspect.idle_seconds:.0f} s while tasks waited in queue {group.queue}"
        if not self.dry_run:
            self._stop_task(suspect.worker, reason)
        return Stop(group.name, suspect.worker.name, reason, self.dry_run)

    def _stop_task(self, worker: Worker, reason: str) -> None:
        self.ecs.stop_task(cluster=self.cluster, task=worker.arn, reason=f"SM2A autoscaler: {reason}")


def replaced(workers: Sequence[Worker], fleet: Fleet) -> tuple[Worker, ...]:
    """The workers of earlier deployments, once the current deployment has all its workers healthy."""
    earlier = tuple(worker for worker in workers if worker.deployment in fleet.replaced)
    ready = sum(worker.healthy for worker in workers if worker not in earlier)
    return earlier if ready >= fleet.desired else ()


def tasks_wait(seen: GroupObservation, notes: GroupNotes) -> bool:
    """True when tasks wait in the database and messages in SQS: either of them alone may be stale."""
    queued = seen.demand is not None and seen.demand.source is Source.DATABASE and seen.demand.queued > 0
    return queued and notes.messages is not None and notes.messages.visible > 0
