# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The control loop: take or keep the lock, read, decide, act, report; then wait for the next tick."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from enum import StrEnum

from sm2a_autoscaler import report
from sm2a_autoscaler.decision.model import PolicySettings
from sm2a_autoscaler.decision.policy import Memory, decide
from sm2a_autoscaler.fleet.actuator import Actuator
from sm2a_autoscaler.fleet.maintenance import Maintenance
from sm2a_autoscaler.journal import Journal
from sm2a_autoscaler.look_ahead.model import Forecast
from sm2a_autoscaler.metadata.database import DatabaseError, MetadataDatabase, TaskRead
from sm2a_autoscaler.shutdown import Shutdown
from sm2a_autoscaler.signals import NO_FORECAST, SignalReader

# Random variation of the pause as a share of the tick, so that the calls of several environments spread out.
JITTER = 0.1


class Role(StrEnum):
    """ACTIVE holds the lock, STANDBY waits for it, OBSERVER (dry run) needs none because it changes nothing."""

    ACTIVE = "active"
    STANDBY = "standby"
    OBSERVER = "observer"


class Outcome(StrEnum):
    """How a tick ended: all sizes decided and set, a size held or not set, or nothing to do as standby."""

    DONE = "done"
    IMPAIRED = "impaired"
    WAITING = "waiting"


class Autoscaler:
    """One instance. ``monotonic`` is the clock of all decisions; ``beat`` records a tick for the health check.

    ``forecast`` reads the look-ahead; it is called only after the exact counts were read.
    """

    def __init__(
        self,
        *,
        policy: PolicySettings,
        database: MetadataDatabase,
        reader: SignalReader,
        actuator: Actuator,
        maintenance: Maintenance,
        journal: Journal,
        monotonic: Callable[[], float],
        beat: Callable[[], None],
        forecast: Callable[[], Forecast] = lambda: NO_FORECAST,
        dry_run: bool = False,
    ) -> None:
        self._policy = policy
        self._database = database
        self._reader = reader
        self._actuator = actuator
        self._maintenance = maintenance
        self._journal = journal
        self._monotonic = monotonic
        self._beat = beat
        self._forecast = forecast
        self._role = Role.OBSERVER if dry_run else Role.STANDBY
        self._memory = Memory()
        self._random = random.SystemRandom()

    @property
    def role(self) -> Role:
        """The role after the last tick."""
        return self._role

    def run(self, shutdown: Shutdown, tick_seconds: float) -> None:
        """Tick until a stop is requested, then release the lock."""
        try:
            while not shutdown.requested:
                started = self._monotonic()
                self.tick()
                pause = tick_seconds * self._random.uniform(1 - JITTER, 1 + JITTER)
                shutdown.wait(max(0.0, started + pause - self._monotonic()))
        finally:
            self._database.close()

    def tick(self) -> Outcome:
        """One tick. Failed reads and calls become part of its report; any other exception is a programming error."""
        started = self._monotonic()
        tasks = self._read_tasks()
        outcome = self._wait(tasks, started) if self._role is Role.STANDBY else self._scale(tasks, started)
        self._beat()
        return outcome

    def _read_tasks(self) -> TaskRead:
        """Determine the role and read the counts.

        An active instance that loses the database stays active, on approximate counts that can only scale out. A
        standby stays standby, because it cannot know whether another instance is active.
        """
        started = self._monotonic()
        try:
            if self._role is not Role.OBSERVER:
                self._take_role(Role.ACTIVE if self._database.acquire_lock() else Role.STANDBY)
            counts = {} if self._role is Role.STANDBY else self._database.counts()
        except DatabaseError as error:
            return TaskRead(None, started, f"the metadata database could not be read: {error}")
        return TaskRead(counts, started)

    def _heartbeat_ages(self, tasks: TaskRead) -> Mapping[str, float]:
        """Heartbeat ages by job type; empty while the database is unavailable, so that alarms see missing data."""
        if tasks.problem:
            return {}
        try:
            return self._database.heartbeat_ages()
        except DatabaseError as error:
            self._journal.event("heartbeats", level="warning", message=f"heartbeats could not be read: {error}")
            return {}

    def _take_role(self, role: Role) -> None:
        if role is not self._role:
            self._role = role
            self._memory = Memory()
            self._journal.event("role", role=role)

    def _wait(self, tasks: TaskRead, started: float) -> Outcome:
        """Report as standby, which reads and changes nothing else."""
        reason = tasks.problem or "another instance holds the lock of this environment"
        seconds = self._monotonic() - started
        self._journal.event(
            "tick",
            level="warning" if tasks.problem else "info",
            role=self._role,
            seconds=round(seconds, 3),
            reason=reason,
        )
        self._journal.metrics(report.tick_metrics(seconds, active=False, problems=int(bool(tasks.problem))))
        return Outcome.WAITING

    def _scale(self, tasks: TaskRead, started: float) -> Outcome:
        """Read the rest, decide, act and report."""
        signals = self._reader.read(tasks, NO_FORECAST if tasks.problem else self._forecast())
        decisions, self._memory = decide(self._policy, signals.observation, self._memory)
        applications = self._actuator.apply(decisions, self._monotonic())
        maintenance = self._maintenance.run(signals, decisions)
        problems = report.problems(signals, applications, maintenance)
        seconds = self._monotonic() - started
        self._journal.event(
            "tick",
            level="warning" if problems else "info",
            role=self._role,
            seconds=round(seconds, 3),
            groups=report.group_records(signals, applications),
            stops=report.stop_records(maintenance),
            problems=problems,
        )
        if self._role is Role.ACTIVE:
            for item in applications:
                seen = signals.observation.groups[item.decision.group]
                self._journal.metrics(report.group_metrics(seen, item, maintenance), WorkerGroup=item.decision.group)
            metrics = report.tick_metrics(seconds, active=True, problems=len(problems))
            self._journal.metrics(metrics | report.heartbeat_metrics(self._heartbeat_ages(tasks)))
        return Outcome.IMPAIRED if report.failed(applications) else Outcome.DONE
