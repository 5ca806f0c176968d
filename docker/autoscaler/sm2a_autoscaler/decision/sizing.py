# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How many workers a group needs, for its present tasks and for those expected by the time a new worker is ready."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sm2a_autoscaler.decision.model import Demand, Fleet, WorkerGroup

# Assumed start-up time before the first sample.
START_UP_SECONDS = 90.0
# A queued task shorter than this gets a slot of a busy worker before a new worker is ready, so it counts in part.
SHORT_TASK_SECONDS = 20.0
# A worker that is needed again this soon is not worth stopping: Fargate bills at least one minute.
KEEP_SECONDS = 60.0
# Upper bound for the expected growth by unannounced tasks within one start-up, as a share of the running tasks. Their
# rate is measured over few arrivals and their durations are estimates: without a bound, noise would start workers.
UNANNOUNCED_GROWTH = 0.1

# (seconds after the read, change of the number of running tasks)
Changes = list[tuple[float, int]]


@dataclass(frozen=True)
class Need:
    """Workers needed at once (``start``), workers to keep at least (``keep``), and the reasons for both.

    ``keep`` is never below ``start``. Both are computed before the group's minimum and maximum apply.
    """

    start: int
    keep: int
    reasons: tuple[str, ...]


def workers_needed(group: WorkerGroup, demand: Demand, fleet: Fleet) -> Need:
    """The need that follows from the demand and from the group's look-ahead and latency preference."""
    waiting = demand.queued * _weight(demand)
    spare = _spare(group, demand)
    now = _workers(demand.running + waiting + spare, group)
    reasons = [
        f"{demand.queued} queued + {demand.running} running tasks ({demand.source})"
        f" at {group.concurrency} per worker need {now}"
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
    """The announced starts and ends in order of time, an end before a start at the same moment."""
    changes = [(seconds, -1) for seconds in demand.remaining_seconds]
    for item in demand.upcoming:
        changes.append((item.in_seconds, item.tasks))
        if item.seconds is not None:
            changes.append((item.in_seconds + item.seconds, -item.tasks))
    return sorted(changes)


def _announced_peak(demand: Demand, changes: Changes, horizon: float) -> int:
    """The largest number of running and upcoming tasks that run at the same moment within the horizon."""
    tasks = peak = demand.running
    for at, change in changes:
        if at > horizon:
            break
        tasks += change
        peak = max(peak, tasks)
    return peak


def _expected(demand: Demand, changes: Changes, horizon: float) -> float:
    """The largest number of slots in use within the horizon, unannounced arrivals included."""
    peak = _announced_peak(demand, changes, horizon)
    mean = demand.mean_task_seconds
    arriving = demand.unscheduled_rate * (horizon if mean is None else min(horizon, mean))
    then = demand.running + sum(change for at, change in changes if at <= horizon) + arriving
    return max(peak, min(then, peak + UNANNOUNCED_GROWTH * demand.running))


def _weight(demand: Demand) -> float:
    """The share of a slot that a queued task counts. Never zero, or very short tasks would never get a worker."""
    mean = demand.mean_task_seconds
    return 1.0 if mean is None else min(1.0, max(0.1, mean) / SHORT_TASK_SECONDS)


def _spare(group: WorkerGroup, demand: Demand) -> float:
    """Spare slots for unannounced arrivals, in standard deviations of the number of tasks that they keep running."""
    if demand.mean_task_seconds is None:
        return 0.0
    return group.latency_preference * math.sqrt(demand.unscheduled_rate * demand.mean_task_seconds)


def _workers(slots: float, group: WorkerGroup) -> int:
    """The number of workers that have so many slots; rounding errors just above a whole number do not count."""
    return max(0, math.ceil(slots / group.concurrency - 1e-9))
