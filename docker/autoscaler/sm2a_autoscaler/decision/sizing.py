# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""How many workers a group needs: for the tasks that are there, and for those that will be when a new one is ready."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sm2a_autoscaler.decision.model import Demand, Fleet, WorkerGroup

# Start-up time that is assumed until one was seen.
START_UP_SECONDS = 90.0
# A queued task shorter than this has its turn on a busy worker before a new one is ready, so it counts in part.
SHORT_TASK_SECONDS = 20.0
# A worker needed again so soon after a start-up is not worth stopping: Fargate bills a minute at least.
KEEP_SECONDS = 60.0
# By how much of what runs unannounced tasks may be expected to grow within a start-up. Their rate is measured over few
# arrivals and their durations may be wrong: believed without a limit, chance would start workers all the time.
UNANNOUNCED_GROWTH = 0.1

# (seconds after the read, change of the number of running tasks)
Changes = list[tuple[float, int]]


@dataclass(frozen=True)
class Need:
    """Workers to have at once (``start``), workers not to go below (``keep``), and how both came about.

    ``keep`` is never below ``start``. Neither knows the group's minimum and maximum.
    """

    start: int
    keep: int
    reasons: tuple[str, ...]


def workers_needed(group: WorkerGroup, demand: Demand, fleet: Fleet) -> Need:
    """What the demand asks for, with the group's look-ahead and latency preference."""
    waiting = demand.queued * _weight(demand)
    spare = _spare(group, demand)
    now = _workers(demand.running + waiting + spare, group)
    reasons = [
        f"{demand.queued} queued + {demand.running} running tasks ({demand.source})"
        f" at {group.concurrency} a worker need {now}"
    ]
    if waiting < demand.queued:
        reasons.append(f"{demand.queued} queued tasks of {demand.mean_task_seconds:.1f} s count as {waiting:.1f}")
    if spare:
        reasons.append(f"{spare:.1f} slots are spare for unannounced tasks")
    if not group.look_ahead:
        return Need(now, now, tuple(reasons))

    horizon = START_UP_SECONDS if fleet.start_up_seconds is None else fleet.start_up_seconds
    changes = _changes(demand)
    soon = _workers(_expected(demand, changes, horizon) + waiting + spare, group)
    later = _workers(_announced_peak(demand, changes, horizon + KEEP_SECONDS) + waiting, group)
    start, keep = max(now, soon), max(now, soon, later)
    if start > now:
        reasons.append(f"{start} are needed within {horizon:.0f} s, the time that a new worker takes")
    if keep > start:
        reasons.append(f"{keep} are needed within {horizon + KEEP_SECONDS:.0f} s")
    return Need(start, keep, tuple(reasons))


def _changes(demand: Demand) -> Changes:
    """What is announced, in order of time; an end comes before a start."""
    changes = [(seconds, -1) for seconds in demand.remaining_seconds]
    for item in demand.upcoming:
        changes.append((item.in_seconds, item.tasks))
        if item.seconds is not None:
            changes.append((item.in_seconds + item.seconds, -item.tasks))
    return sorted(changes)


def _announced_peak(demand: Demand, changes: Changes, horizon: float) -> int:
    """The most tasks that run at one moment until then, of those that run now and those that are upcoming."""
    tasks = peak = demand.running
    for at, change in changes:
        if at > horizon:
            break
        tasks += change
        peak = max(peak, tasks)
    return peak


def _expected(demand: Demand, changes: Changes, horizon: float) -> float:
    """The most slots in use until then: by what is announced, or with what comes unannounced by then."""
    peak = _announced_peak(demand, changes, horizon)
    mean = demand.mean_task_seconds
    arriving = demand.unscheduled_rate * (horizon if mean is None else min(horizon, mean))
    then = demand.running + sum(change for at, change in changes if at <= horizon) + arriving
    return max(peak, min(then, peak + UNANNOUNCED_GROWTH * demand.running))


def _weight(demand: Demand) -> float:
    """How much of a slot a queued task counts: a little at least, or nobody would ever start it."""
    mean = demand.mean_task_seconds
    return 1.0 if mean is None else min(1.0, max(0.1, mean) / SHORT_TASK_SECONDS)


def _spare(group: WorkerGroup, demand: Demand) -> float:
    """Slots for the fluctuation of unannounced arrivals: standard deviations of the number that these keep running."""
    if demand.mean_task_seconds is None:
        return 0.0
    return group.latency_preference * math.sqrt(demand.unscheduled_rate * demand.mean_task_seconds)


def _workers(slots: float, group: WorkerGroup) -> int:
    """Workers with so many slots; a hair above a whole number is that number."""
    return max(0, math.ceil(slots / group.concurrency - 1e-9))
