# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What the sizing decision is given and what it answers. Durations are seconds.

Times are seconds on one monotonic clock that the caller chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from enum import StrEnum


@dataclass(frozen=True)
class CapacitySchedule:
    """Another minimum or maximum at certain hours; None leaves the group's own.

    ``days`` are weekdays, Monday is 0. The window goes from ``begin`` to before ``end``, wall clock times of
    ``time_zone``. One with ``end`` at or before ``begin`` goes on to that time of the next day.
    """

    days: frozenset[int]
    begin: time
    end: time
    time_zone: tzinfo
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True)
class WorkerGroup:
    """One queue and the ECS service whose tasks are its workers.

    ``concurrency`` is task slots a worker. With ``look_ahead`` the forecast counts besides what is there now.
    ``hold_seconds`` is how long a size stays after it was last needed. ``latency_preference`` (0 to 3) is the spare
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
    """What the decision may know about the deployment."""

    groups: tuple[WorkerGroup, ...]
    stale_seconds: float = 30.0


class Source(StrEnum):
    """Where a demand comes from: the database is exact, SQS is approximate."""

    DATABASE = "database"
    SQS = "sqs"


@dataclass(frozen=True, slots=True)
class Upcoming:
    """``tasks`` that are expected to be queued ``in_seconds`` after the read, to take ``seconds`` each.

    ``in_seconds`` 0 is any moment. Without ``seconds`` they count as lasting.
    """

    in_seconds: float
    tasks: int
    seconds: float | None = None


@dataclass(frozen=True)
class Demand:
    """Airflow tasks of one queue. ``scheduled`` tasks wait for a pool slot or the scheduler: shown, not counted.

    ``remaining_seconds`` has one entry for each running task whose duration history can tell: expected seconds until
    it ends, 0 when it is overdue. Tasks without an entry count as lasting. ``upcoming`` are downstream tasks whose
    parents are done or about to be (at the expected end of the last one) and root tasks of runs due by schedule.
    ``mean_task_seconds`` is the recent mean duration of this queue's tasks, None without a history.
    ``unscheduled_rate`` is arrivals a second that nothing announced (manual, API, assets), over the last minutes.
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


@dataclass(frozen=True)
class Fleet:
    """Counts of one ECS service.

    ``start_up_seconds`` is the 90th percentile of its tasks' start-up times, None while none was seen; ``replaced`` are
    the earlier deployments that still have tasks, by id.
    """

    desired: int
    running: int
    pending: int
    read_at: float
    start_up_seconds: float | None = None
    replaced: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GroupObservation:
    """One group as seen now; a part that could not be read is None, and ``problems`` says why."""

    demand: Demand | None
    fleet: Fleet | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observation:
    """All groups by name, ``at`` the time of the decision, ``wall`` the same moment as an aware date and time.

    Schedules of capacity hold by ``wall``; without it they do not hold at all.
    """

    at: float
    groups: Mapping[str, GroupObservation]
    wall: datetime | None = None


class Action(StrEnum):
    """KEEP: the size is right, or not yet due to shrink. HOLD: not known well enough to change it."""

    SCALE_OUT = "scale_out"
    SCALE_IN = "scale_in"
    KEEP = "keep"
    HOLD = "hold"


@dataclass(frozen=True)
class Decision:
    """The desired count for one service. ``current`` and ``desired`` are None only where ECS could not be read.

    ``drain`` is how many of the workers that run tasks shall take no new ones, so that they become idle; best are those
    that will be empty first. All others take tasks, also those that were draining before. None leaves it as it is.
    """

    group: str
    service: str
    action: Action
    current: int | None
    desired: int | None
    reasons: tuple[str, ...]
    drain: int | None = 0
