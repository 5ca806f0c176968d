# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What bounds the size of a group: its minimum and maximum at an hour, and its workers with scale-in protection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sm2a_autoscaler.decision.model import Action, CapacitySchedule, Decision, WorkerGroup


@dataclass(frozen=True)
class Limits:
    """Minimum and maximum number of workers; ``by_schedule`` is true if a schedule changed them."""

    minimum: int
    maximum: int
    by_schedule: bool = False

    def clamp(self, workers: int) -> int:
        """The nearest number within the limits."""
        return min(max(workers, self.minimum), self.maximum)


def limits(group: WorkerGroup, wall: datetime | None) -> Limits:
    """The limits at that time. If several schedules apply, the largest values win. A minimum never exceeds the maximum.

    Without a time no schedule applies.
    """
    active = [item for item in group.schedules if wall is not None and holds(item, wall)]
    minimum = max((item.minimum for item in active if item.minimum is not None), default=group.minimum)
    maximum = max((item.maximum for item in active if item.maximum is not None), default=group.maximum)
    changed = (minimum, maximum) != (group.minimum, group.maximum)
    return Limits(min(minimum, maximum), maximum, changed)


def holds(schedule: CapacitySchedule, wall: datetime) -> bool:
    """True within the window. After midnight a window belongs to the day on which it began."""
    local = wall.astimezone(schedule.time_zone)
    clock, today = local.time(), local.weekday()
    if schedule.begin < schedule.end:
        return today in schedule.days and schedule.begin <= clock < schedule.end
    yesterday = (local - timedelta(days=1)).weekday()
    return (today in schedule.days and clock >= schedule.begin) or (yesterday in schedule.days and clock < schedule.end)


def keep_protected_workers(decision: Decision, protected: int) -> Decision:
    """The decision after counting the workers that hold scale-in protection: a scale-in goes no lower than these.

    A desired count below that number would stop no protected worker, but ECS would then refuse to protect any further
    worker, and could stop one with a task that it has just received.
    """
    if decision.action is not Action.SCALE_IN or decision.desired is None or decision.current is None:
        return decision
    if protected <= decision.desired:
        return decision
    size = min(protected, decision.current)
    return replace(
        decision,
        action=Action.SCALE_IN if size < decision.current else Action.KEEP,
        desired=size,
        reasons=(*decision.reasons, f"{protected} workers hold scale-in protection: {size} are kept"),
    )
