# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Scaling options of worker groups that are refused before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import scaling
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow import problems
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.scaling import scaling_problems

GROUP: dict[str, Any] = {"name": "default", "queue": "default", "cpu": 1024, "memory": 2048, "concurrency": 4}
GROUP |= {"min": 1, "max": 4}
OFFICE = {"days": ["mon"], "from": "08:00", "to": "18:00", "time_zone": "Europe/Berlin", "min": 2, "max": 10}


def found(**options: Any) -> list[str]:
    """What is wrong with a group with these options."""
    return list(scaling_problems({**GROUP, **options}))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"hold_seconds": 0, "latency_preference": 3.0, "schedules": []},
        {"schedules": [OFFICE, {"from": "20:00", "to": "24:00", "max": 0, "min": 0}]},
    ],
)
def test_right_options_are_accepted(options: dict[str, Any]) -> None:
    assert found(**options) == []
    assert problems({"airflow_worker_groups": [{**GROUP, **options}]}) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hold_seconds": 3601}, "hold_seconds must be 0 to 3600, not 3601"),
        ({"latency_preference": -1}, "latency_preference must be 0 to 3, not -1"),
        ({"schedules": [{**OFFICE, "from": 480}]}, 'schedule 1: from must be a time of day in quotes, such as "08:00"'),
        ({"schedules": [OFFICE, {**OFFICE, "to": "24:01"}]}, "schedule 2: to must be a time of day"),
        ({"schedules": [{**OFFICE, "from": "24:00"}]}, "schedule 1: from must be a time of day"),
        ({"schedules": [{"from": "08:00", "to": "09:00"}]}, "schedule 1: needs min, max or both"),
        ({"schedules": [{**OFFICE, "min": -1}]}, "schedule 1: min and max must not be negative"),
        ({"schedules": [{**OFFICE, "min": 11}]}, "schedule 1: has min 11 above max 10"),
        ({"schedules": [{**OFFICE, "min": 5, "max": None}]}, "schedule 1: has min 5 above max 4"),
        ({"schedules": [{**OFFICE, "time_zone": "Mars/Olympus"}]}, "schedule 1: time_zone Mars/Olympus is unknown"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], sentence: str) -> None:
    (problem,) = found(**options)
    assert problem.startswith(sentence)
    (full,) = problems({"airflow_worker_groups": [{**GROUP, **options}]})
    assert full == f"airflow_worker_groups, group default: {problem}"


def test_without_a_list_of_time_zones_none_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "_loads", lambda name: False)
    assert found(schedules=[{**OFFICE, "time_zone": "Mars/Olympus"}]) == []
