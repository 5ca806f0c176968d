# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Minimum and maximum by the hour: days, time zones, summer time, midnight, and several schedules at once."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from sm2a_autoscaler.decision.limits import Limits, holds, limits
from sm2a_autoscaler.decision.model import CapacitySchedule, WorkerGroup

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = frozenset(range(5))
OFFICE = CapacitySchedule(days=WEEKDAYS, begin=time(8), end=time(18), time_zone=BERLIN, minimum=3)
NIGHT = CapacitySchedule(days=frozenset({4}), begin=time(22), end=time(6), time_zone=BERLIN, minimum=2, maximum=5)


@pytest.mark.parametrize(
    ("schedule", "wall", "active"),
    [
        pytest.param(OFFICE, "2026-01-05T06:59:59", False, id="Monday before eight, in winter"),
        pytest.param(OFFICE, "2026-01-05T07:00:00", True, id="Monday at eight"),
        pytest.param(OFFICE, "2026-01-05T17:00:00", False, id="Monday at six in the evening"),
        pytest.param(OFFICE, "2026-07-06T06:00:00", True, id="Monday at eight, in summer"),
        pytest.param(OFFICE, "2026-01-04T12:00:00", False, id="Sunday"),
        pytest.param(NIGHT, "2026-01-09T20:59:00", False, id="Friday before ten in the evening"),
        pytest.param(NIGHT, "2026-01-09T21:00:00", True, id="Friday at ten in the evening"),
        pytest.param(NIGHT, "2026-01-10T04:59:00", True, id="Saturday before six"),
        pytest.param(NIGHT, "2026-01-10T05:00:00", False, id="Saturday at six"),
        pytest.param(NIGHT, "2026-01-09T04:00:00", False, id="Friday before six belongs to Thursday's night"),
    ],
)
def test_a_schedule_holds_within_its_window(schedule: CapacitySchedule, wall: str, active: bool) -> None:
    assert holds(schedule, datetime.fromisoformat(wall).replace(tzinfo=UTC)) is active


def test_a_window_that_ends_where_it_begins_is_a_whole_day() -> None:
    saturday = CapacitySchedule(days=frozenset({5}), begin=time(0), end=time(0), time_zone=UTC, minimum=1)
    assert holds(saturday, datetime(2026, 1, 10, 0, 0, tzinfo=UTC))
    assert holds(saturday, datetime(2026, 1, 10, 23, 59, tzinfo=UTC))
    assert not holds(saturday, datetime(2026, 1, 11, 0, 0, tzinfo=UTC))


def test_the_largest_values_of_several_hold_and_the_minimum_gives_way(group: WorkerGroup) -> None:
    noon = datetime(2026, 1, 5, 11, 0, tzinfo=UTC)
    always = CapacitySchedule(days=frozenset(range(7)), begin=time(0), end=time(0), time_zone=UTC, minimum=2, maximum=4)
    both = dataclasses.replace(group, schedules=(OFFICE, always))
    assert limits(both, noon) == Limits(3, 4, by_schedule=True)
    tight = dataclasses.replace(group, schedules=(OFFICE, dataclasses.replace(always, maximum=2)))
    assert limits(tight, noon) == Limits(2, 2, by_schedule=True)
    assert limits(group, noon) == limits(both, None) == Limits(1, 10)


def test_the_nearest_allowed_number() -> None:
    assert [Limits(1, 3).clamp(workers) for workers in (0, 2, 9)] == [1, 2, 3]
