# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the look-ahead reads and forecasts: values without behaviour that depends on where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sm2a_autoscaler.decision.model import Upcoming

TaskKey = tuple[str, str]  # dag_id, task_id

OVERDUE_GRACE_SECONDS = 30.0  # beyond twice the longest duration; after that the history says nothing about a task
ARRIVALS_SECONDS = 300


@dataclass(frozen=True)
class Past:
    """Durations of the last instances of one task in seconds, and its number of instances in the last run."""

    durations: tuple[float, ...]
    width: int = 1

    @property
    def mean(self) -> float | None:
        """Mean duration in seconds, None without samples."""
        return sum(self.durations) / len(self.durations) if self.durations else None

    def remaining(self, elapsed: float) -> float | None:
        """Expected seconds until a task ends that has been running for ``elapsed`` seconds.

        The mean remaining time of the samples that took longer, 0 if none did. None without samples, and for a task
        that has run far longer than any of them.
        """
        if not self.durations or elapsed > 2 * max(self.durations) + OVERDUE_GRACE_SECONDS:
            return None
        left = [duration - elapsed for duration in self.durations if duration > elapsed]
        return sum(left) / len(left) if left else 0.0


UNKNOWN = Past(())


class KnownPast(Protocol):
    """Anything that knows task histories."""

    def of(self, key: TaskKey) -> Past | None:
        """The history of one task, None if unknown."""


@dataclass(frozen=True, kw_only=True)
class RunningTask:
    """A task instance that has been running for ``elapsed`` seconds."""

    dag_id: str
    run_id: str
    task_id: str
    queue: str
    elapsed: float

    @property
    def key(self) -> TaskKey:
        """The key of its history."""
        return self.dag_id, self.task_id


@dataclass(frozen=True, kw_only=True)
class TaskStateCount:
    """``count`` instances of one task of one running DAG run are in this state; None means not scheduled yet."""

    dag_id: str
    run_id: str
    task_id: str
    state: str | None
    queue: str
    version: str | None
    count: int

    @property
    def key(self) -> TaskKey:
        """The key of its history."""
        return self.dag_id, self.task_id


@dataclass(frozen=True, kw_only=True)
class StartingRuns:
    """``runs`` runs of a DAG that start in ``in_seconds``, or as soon as the scheduler gets to them (0)."""

    dag_id: str
    version: str | None
    in_seconds: float
    runs: int


@dataclass(frozen=True)
class Arrivals:
    """Unannounced runs of a DAG (manual, API, assets) within ARRIVALS_SECONDS."""

    dag_id: str
    version: str | None
    runs: int


@dataclass(frozen=True)
class Progress:
    """Everything that was read."""

    running: tuple[RunningTask, ...] = ()
    task_states: tuple[TaskStateCount, ...] = ()
    starting: tuple[StartingRuns, ...] = ()
    arrivals: tuple[Arrivals, ...] = ()

    def versions(self) -> frozenset[str]:
        """Ids of the DAG versions whose structure the forecast needs."""
        pending = {item.version for item in self.task_states if item.state is None}
        starting = {item.version for item in self.starting} | {item.version for item in self.arrivals}
        return frozenset(version for version in pending | starting if version)


@dataclass(frozen=True)
class QueueOutlook:
    """The forecast of one queue; the fields are those of ``decision.model.Demand``."""

    remaining_seconds: tuple[float, ...] = ()
    upcoming: tuple[Upcoming, ...] = ()
    mean_task_seconds: float | None = None
    unscheduled_rate: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """The outlook by queue, or None and the reason in ``problem``. ``remarks`` names what is missing from it."""

    queues: Mapping[str, QueueOutlook] | None = None
    problem: str | None = None
    remarks: tuple[str, ...] = ()
