# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Worker groups on their way from the variables to the autoscaler, which reads them with its own checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import main_options
from ansible_collections.sm2a.airflow.tests.unit.roles.rendering import render
from sm2a_autoscaler.group_settings import COUNTS, KEYS, NUMBERS, SCHEDULE_KEYS, TEXTS, parse_groups

GROUP: dict[str, Any] = {"name": "default", "queue": "default", "cpu": 1024, "memory": 2048, "concurrency": 4}
GROUP |= {"min": 0, "max": 4}
SCALED = GROUP | {
    "look_ahead": False,
    "hold_seconds": 120,
    "latency_preference": 0.5,
    "schedules": [
        {"days": ["mon"], "from": "08:00", "to": "18:00", "time_zone": "Europe/Berlin", "min": 2, "max": 10},
        {"from": "22:00", "to": "06:00", "min": 1},
    ],
}
QUEUES = {"default": {"url": "https://sqs/default"}}


def rendered(folder: Path, expression: str, *groups: dict[str, Any]) -> list[Any]:
    """What the role airflow makes of an environment with each of these groups."""
    cases = [{"airflow_worker_groups": [group], "airflow_queues": QUEUES, "sm2a_name": "x"} for group in groups]
    return render(folder, "airflow", ["vars/main.yml"], expression, cases)


def test_the_autoscaler_understands_what_the_role_hands_over(tmp_path: Path) -> None:
    plain, scaled = rendered(tmp_path, "__airflow_worker_group_outputs", GROUP, SCALED)
    (group,) = parse_groups(json.dumps(plain), 60)
    assert (group.minimum, group.maximum, group.look_ahead, group.hold_seconds, group.schedules) == (0, 4, True, 60, ())
    (group,) = parse_groups(json.dumps(scaled), 60)
    assert (group.look_ahead, group.hold_seconds, group.latency_preference) == (False, 120, 0.5)
    assert [(item.minimum, item.maximum) for item in group.schedules] == [(2, 10), (1, None)]


def test_the_scheduler_has_room_for_the_largest_maximum_of_a_schedule(tmp_path: Path) -> None:
    assert rendered(tmp_path, "__airflow_slots", GROUP, SCALED) == [[16], [40]]


def test_both_roles_and_the_autoscaler_have_the_same_options() -> None:
    scaling = {*NUMBERS, "look_ahead", "schedules"}
    airflow = main_options("airflow")["airflow_worker_groups"]["options"]
    autoscaler = main_options("autoscaler")["autoscaler_worker_groups"]["options"]
    assert set(autoscaler) == KEYS == {*TEXTS, *COUNTS, *scaling}
    for name in scaling:
        assert airflow[name] | {"description": ""} == autoscaler[name] | {"description": ""}
    assert set(airflow["schedules"]["options"]) == SCHEDULE_KEYS
    readme = (PROJECT / "docker/autoscaler/README.md").read_text(encoding="utf-8")
    assert not [name for name in scaling if f"| `{name}` |" not in readme]
