# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The sizing decision: settings, one observation and a small memory in; decisions with their reasons out.

Nothing here reads a clock, a network or a file. Times are seconds on one monotonic clock that the caller chooses.
Every worker group is decided on its own:

* a group needs ``ceil((queued + running) / concurrency)`` workers, within its minimum and maximum;
* a larger need is met at once;
* a smaller one only after ``hold_seconds`` in which nothing larger was needed, and never below the workers that run
  tasks at that moment (which worker stops is decided by ECS, among those that are not protected);
* when a read failed or is older than ``stale_seconds`` the size stays;
* approximate counts (SQS, while the database does not answer) may make a group larger, never smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    hold_seconds: float = 60.0
    stale_seconds: float = 30.0


class Source(StrEnum):
    """Where a demand comes from: the database is exact, SQS is approximate."""

    DATABASE = "database"
    SQS = "sqs"


@dataclass(frozen=True)
class Upcoming:
    """``tasks`` that are expected to be queued ``in_seconds`` after the read; 0 is any moment."""

    in_seconds: float
    tasks: int


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

    ``start_up_seconds`` is the 90th percentile of its tasks' start-up times, None while none was seen.
    """

    desired: int
    running: int
    pending: int
    read_at: float
    start_up_seconds: float | None = None


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
    """The desired count for one service. ``current`` and ``desired`` are None only where ECS could not be read."""

    group: str
    service: str
    action: Action
    current: int | None
    desired: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Peak:
    """``target`` workers were needed ``at`` that time."""

    at: float
    target: int


@dataclass(frozen=True)
class GroupMemory:
    """The needs of the last ``hold_seconds`` that no later need exceeds: oldest, and so largest, first."""

    peaks: tuple[Peak, ...]
    seen_at: float


@dataclass(frozen=True)
class Memory:
    """What one decision leaves for the next, by group name."""

    groups: Mapping[str, GroupMemory] = field(default_factory=dict)


def decide(settings: PolicySettings, observation: Observation, memory: Memory) -> tuple[tuple[Decision, ...], Memory]:
    """One decision a group, in the order of the settings, and the memory for the next call."""
    decisions: list[Decision] = []
    remembered: dict[str, GroupMemory] = {}
    for group in settings.groups:
        seen = observation.groups.get(group.name, GroupObservation(None, None, ("the group was not observed",)))
        decision, kept = decide_group(group, settings, seen, memory.groups.get(group.name), observation.at)
        decisions.append(decision)
        if kept is not None:
            remembered[group.name] = kept
    return tuple(decisions), Memory(remembered)


def decide_group(
    group: WorkerGroup, settings: PolicySettings, seen: GroupObservation, memory: GroupMemory | None, now: float
) -> tuple[Decision, GroupMemory | None]:
    """The decision for one group. A held group leaves its memory as it was."""
    demand, fleet = seen.demand, seen.fleet
    doubts = _doubts(seen, now, settings.stale_seconds)
    if doubts or demand is None or fleet is None:
        current = fleet.desired if fleet else None
        return _decision(group, Action.HOLD, current, current, (*doubts, "the size is held")), memory

    target, reasons = workers_needed(group, demand)
    if demand.source is not Source.DATABASE and target <= fleet.desired:
        reasons += ("approximate counts only ever scale out: the size is held",)
        return _decision(group, Action.HOLD, fleet.desired, fleet.desired, reasons), memory

    memory = remember(memory, target, fleet.desired, now, settings.hold_seconds)
    if target > fleet.desired:
        return _decision(group, Action.SCALE_OUT, fleet.desired, target, (*reasons, "scaling out at once")), memory
    if target == fleet.desired:
        return _decision(group, Action.KEEP, fleet.desired, target, reasons), memory
    desired, limits = _lowest_allowed(demand, fleet, memory, now, settings.hold_seconds)
    action = Action.SCALE_IN if desired < fleet.desired else Action.KEEP
    return _decision(group, action, fleet.desired, desired, reasons + limits), memory


def workers_needed(group: WorkerGroup, demand: Demand) -> tuple[int, tuple[str, ...]]:
    """Workers for the demand within the group's minimum and maximum, and how that number came about."""
    proportional = -(-(demand.queued + demand.running) // group.concurrency)
    target = min(max(proportional, group.minimum), group.maximum)
    reasons = [
        f"{demand.queued} queued + {demand.running} running tasks ({demand.source})"
        f" at {group.concurrency} a worker need {proportional}"
    ]
    if target > proportional:
        reasons.append(f"the minimum is {group.minimum}")
    if target < proportional:
        reasons.append(f"the maximum is {group.maximum}")
    return target, tuple(reasons)


def remember(memory: GroupMemory | None, target: int, current: int, now: float, hold_seconds: float) -> GroupMemory:
    """The memory with this need added and needs of ``hold_seconds`` ago or older forgotten.

    Without a memory, or after a gap as long as the hold, nothing is known about the recent past: the current size then
    stands in for it, so that a restart or an outage is never followed by a sudden scale-in.
    """
    known = memory is not None and now - memory.seen_at < hold_seconds
    past = memory.peaks if memory is not None and known else (Peak(now, current),)
    kept = tuple(peak for peak in past if now - peak.at < hold_seconds and peak.target > target)
    return GroupMemory((*kept, Peak(now, target)), now)


def _doubts(seen: GroupObservation, now: float, stale_seconds: float) -> tuple[str, ...]:
    """Why the observation must not change a size; empty when it may."""
    doubts = list(seen.problems) if seen.demand is None or seen.fleet is None else []
    for name, part in (("demand", seen.demand), ("service", seen.fleet)):
        if part is None:
            doubts.append(f"the {name} could not be read")
        elif now - part.read_at > stale_seconds:
            doubts.append(f"the {name} was read {now - part.read_at:.0f} s ago, more than {stale_seconds:g} s")
    return tuple(doubts)


def _lowest_allowed(
    demand: Demand, fleet: Fleet, memory: GroupMemory, now: float, hold_seconds: float
) -> tuple[int, tuple[str, ...]]:
    """How far the service may shrink now, at most to its current size, and what limits it."""
    reasons: list[str] = []
    peak = memory.peaks[0]
    busy = min(demand.busy_workers, fleet.desired)
    desired = max(min(peak.target, fleet.desired), busy)
    if len(memory.peaks) > 1 and desired > busy:
        reasons.append(f"{peak.target} needed {now - peak.at:.0f} s ago: kept for {hold_seconds:g} s")
    if desired == busy and busy > memory.peaks[-1].target:
        reasons.append(f"{busy} workers run tasks: none of them is stopped")
    if desired < fleet.desired:
        reasons.append(f"nothing larger was needed for {hold_seconds:g} s: scaling in")
    return desired, tuple(reasons)


def _decision(
    group: WorkerGroup, action: Action, current: int | None, desired: int | None, reasons: tuple[str, ...]
) -> Decision:
    return Decision(group.name, group.service, action, current, desired, reasons)
