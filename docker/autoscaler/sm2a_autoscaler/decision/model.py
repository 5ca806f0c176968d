# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Input and output of the sizing decision, and the types that the other packages share. Durations are seconds.

Times are seconds on one monotonic clock that the caller chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from enum import StrEnum

# Groups with so many slots a worker drain surplus busy workers. With fewer slots, workers become idle often enough.
DRAIN_FROM_CONCURRENCY = 6


@dataclass(frozen=True, kw_only=True)
class CapacitySchedule:
    """A minimum or maximum that applies at certain hours; None keeps the group's own value.

    ``days`` are weekdays, Monday is 0. The window runs from ``begin`` up to ``end``, both wall clock times in
    ``time_zone``. If ``end`` is not later than ``begin``, the window ends on the next day.
    """

    days: frozenset[int]
    begin: time
    end: time
    time_zone: tzinfo
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, kw_only=True)
class WorkerGroup:
    """One queue and the ECS service whose tasks are its workers.

    ``concurrency`` is the number of task slots per worker. ``look_ahead`` adds the forecast to the present demand.
    ``hold_seconds`` is how long a size is kept after it was last needed. ``latency_preference`` (0 to 3) is the spare
    capacity for unannounced arrivals, in standard deviations of their number.
    """

    name: str
    queue: str
    queue_url: str
    service: str
    concurrency: int
    minimum: int
    maximum: int
    look_ahead: bool = True
    hold_seconds: float = 60.0
    latency_preference: float = 0.0
    schedules: tuple[CapacitySchedule, ...] = ()


@dataclass(frozen=True)
class PolicySettings:
    """The settings that the decision depends on."""

    groups: tuple[WorkerGroup, ...]
    stale_seconds: float = 30.0


class Source(StrEnum):
    """Origin of a demand: the database is exact, SQS is approximate."""

    DATABASE = "database"
    SQS = "sqs"


@dataclass(frozen=True, slots=True)
class Upcoming:
    """``tasks`` that are expected to be queued ``in_seconds`` after the read and to run for ``seconds`` each.

    ``in_seconds`` 0 means at any moment. Without ``seconds`` they are assumed to run beyond the horizon.
    """

    in_seconds: float
    tasks: int
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Airflow tasks of one queue.

    ``scheduled`` tasks wait for a pool slot or the scheduler: they are reported but do not count.
    ``remaining_seconds`` has one entry for each running task with a duration history: the expected seconds until it
    ends, 0 when it is overdue. Tasks without an entry are assumed to run beyond the horizon. ``upcoming`` are
    downstream tasks whose parents have ended or are expected to end, and root tasks of runs due by schedule.
    ``mean_task_seconds`` is the recent mean duration of this queue's tasks, None without a history.
    ``unscheduled_rate`` is the recent rate of unannounced arrivals (manual, API, assets), in tasks per second.
    """

    queued: int
    running: int
    read_at: float
    scheduled: int = 0
    busy_workers: int = 0
    source: Source = Source.DATABASE
    remaining_seconds: tuple[float, ...] = ()
    upcoming: tuple[Upcoming, ...] = ()
    mean_task_seconds: float | None = None
    unscheduled_rate: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Counts of one ECS service.

    ``start_up_seconds`` is the 90th percentile of its workers' start-up times, None before the first sample.
    ``replaced`` are the ids of earlier deployments that still have tasks.
    """

    desired: int
    running: int
    pending: int
    read_at: float
    start_up_seconds: float | None = None
    replaced: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GroupObservation:
    """One group as read in this tick; a part that could not be read is None, and ``problems`` says why."""

    demand: Demand | None
    fleet: Fleet | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observation:
    """All groups by name at the time of the decision: ``at`` on the monotonic clock, ``wall`` as an aware datetime.

    Capacity schedules apply by ``wall``; without it none applies.
    """

    at: float
    groups: Mapping[str, GroupObservation]
    wall: datetime | None = None


@dataclass(frozen=True)
class MessageCounts:
    """SQS' approximate counts for one queue: visible messages (queued tasks) and messages in flight (running tasks)."""

    visible: int
    in_flight: int


@dataclass(frozen=True)
class GroupNotes:
    """What was read about one group and is reported, but not used for the size."""

    messages: MessageCounts | None
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Signals:
    """Everything read in one tick: the observation, notes by group, and queued tasks of queues that no group serves."""

    observation: Observation
    notes: Mapping[str, GroupNotes]
    unserved: Mapping[str, int]


class Action(StrEnum):
    """KEEP: the size is right, or the hold has not passed yet. HOLD: the data is too uncertain to change the size."""

    SCALE_OUT = "scale_out"
    SCALE_IN = "scale_in"
    KEEP = "keep"
    HOLD = "hold"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The desired count for one service. ``current`` and ``desired`` are None only if ECS could not be read.

    ``drain`` is how many busy workers must drain, preferably those with the fewest tasks. All others take tasks,
    including workers that were draining before. None changes no drain marker.
    """

    group: str
    service: str
    action: Action
    current: int | None
    desired: int | None
    reasons: tuple[str, ...]
    drain: int | None = 0
