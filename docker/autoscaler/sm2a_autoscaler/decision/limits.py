# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The minimum and maximum of a group at a given hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sm2a_autoscaler.decision.model import CapacitySchedule, WorkerGroup


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
