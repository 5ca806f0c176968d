# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings: the contract's environment is accepted, and every fault names its variable."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sm2a_autoscaler.decision.model import CapacitySchedule, PolicySettings, WorkerGroup
from sm2a_autoscaler.settings import HEALTH_FILE_NAME, SettingsError, load, load_health

GROUP = {
    "name": "default",
    "queue": "default",
    "queue_url": "https://sqs.eu-west-1.amazonaws.com/000000000000/sm2a-default",
    "service": "worker-default",
    "concurrency": 4,
    "min": 1,
    "max": 4,
}
ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "SM2A_AUTOSCALER_CLUSTER": "sm2a",
    "SM2A_AUTOSCALER_DATABASE_SECRET": "sm2a/config/sql_alchemy_conn",
    "SM2A_AUTOSCALER_WORKER_GROUPS": json.dumps([GROUP]),
}


def groups(*entries: Any) -> dict[str, str]:
    """The environment with these worker groups."""
    return {"SM2A_AUTOSCALER_WORKER_GROUPS": json.dumps(list(entries))}


OFFICE = {"days": ["mon", "fri"], "from": "08:00", "to": "18:30", "time_zone": "Europe/Berlin", "min": 2}


def schedule(entry: Any) -> dict[str, str]:
    """The environment with one group with this schedule."""
    return groups({**GROUP, "schedules": [entry]})


def test_a_group_has_options_of_its_own() -> None:
    entry = {
        **GROUP,
        "min": 0,
        "look_ahead": False,
        "hold_seconds": 120,
        "latency_preference": 0.5,
        "schedules": [OFFICE, {"from": "22:00", "to": "24:00", "min": 0, "max": 10}],
    }
    settings = load(ENVIRONMENT | groups(entry, {**GROUP, "name": "b", "queue": "b", "service": "b"}))
    first, second = settings.groups
    assert (first.minimum, first.look_ahead, first.hold_seconds, first.latency_preference) == (0, False, 120, 0.5)
    assert first.schedules == (
        CapacitySchedule(
            days=frozenset({0, 4}),
            begin=time(8),
            end=time(18, 30),
            time_zone=ZoneInfo("Europe/Berlin"),
            minimum=2,
            maximum=None,
        ),
        CapacitySchedule(
            days=frozenset(range(7)), begin=time(22), end=time(0), time_zone=ZoneInfo("UTC"), minimum=0, maximum=10
        ),
    )
    assert (second.look_ahead, second.hold_seconds, second.latency_preference, second.schedules) == (True, 60, 0, ())


def test_a_group_without_a_hold_has_that_of_all() -> None:
    settings = load(ENVIRONMENT | {"SM2A_AUTOSCALER_HOLD_SECONDS": "90"})
    assert settings.groups[0].hold_seconds == 90


def test_the_least_environment_has_the_documented_defaults() -> None:
    settings = load(ENVIRONMENT)
    expected = WorkerGroup(
        name="default",
        queue="default",
        queue_url=str(GROUP["queue_url"]),
        service="worker-default",
        concurrency=4,
        minimum=1,
        maximum=4,
    )
    assert (settings.cluster, settings.region) == ("sm2a", "eu-west-1")
    assert settings.database_secret == "sm2a/config/sql_alchemy_conn"
    assert settings.tick_seconds == 10
    assert settings.policy == PolicySettings((expected,), stale_seconds=30)
    assert settings.health_file.name == HEALTH_FILE_NAME


def test_every_number_and_the_health_file_can_be_set() -> None:
    settings = load(
        ENVIRONMENT
        | {
            "SM2A_AUTOSCALER_TICK_SECONDS": "2.5",
            "SM2A_AUTOSCALER_HOLD_SECONDS": "5",
            "SM2A_AUTOSCALER_STALE_SECONDS": "12",
            "SM2A_AUTOSCALER_HEALTH_FILE": "/dev/shm/alive",
        }
    )
    assert (settings.tick_seconds, settings.groups[0].hold_seconds, settings.stale_seconds) == (2.5, 5, 12)
    assert load_health({"SM2A_AUTOSCALER_TICK_SECONDS": "2.5", "SM2A_AUTOSCALER_HEALTH_FILE": "/dev/shm/alive"}) == (
        Path("/dev/shm/alive"),
        2.5,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AWS_REGION": ""}, "AWS_REGION is not set"),
        ({"SM2A_AUTOSCALER_CLUSTER": " "}, "SM2A_AUTOSCALER_CLUSTER is not set"),
        ({"SM2A_AUTOSCALER_DATABASE_SECRET": ""}, "SM2A_AUTOSCALER_DATABASE_SECRET is not set"),
        ({"SM2A_AUTOSCALER_TICK_SECONDS": "soon"}, "SM2A_AUTOSCALER_TICK_SECONDS must be a number from 1 to 300"),
        ({"SM2A_AUTOSCALER_TICK_SECONDS": "0"}, "SM2A_AUTOSCALER_TICK_SECONDS must be"),
        ({"SM2A_AUTOSCALER_TICK_SECONDS": "nan"}, "SM2A_AUTOSCALER_TICK_SECONDS must be"),
        ({"SM2A_AUTOSCALER_HOLD_SECONDS": "-1"}, "SM2A_AUTOSCALER_HOLD_SECONDS must be a number from 0 to 3600"),
        ({"SM2A_AUTOSCALER_HOLD_SECONDS": "15"}, "SM2A_AUTOSCALER_HOLD_SECONDS must be 0 or at least twice"),
        ({"SM2A_AUTOSCALER_STALE_SECONDS": "inf"}, "SM2A_AUTOSCALER_STALE_SECONDS must be"),
        ({"SM2A_AUTOSCALER_WORKER_GROUPS": ""}, "WORKER_GROUPS is not set"),
        ({"SM2A_AUTOSCALER_WORKER_GROUPS": "[{"}, "WORKER_GROUPS is not JSON"),
        ({"SM2A_AUTOSCALER_WORKER_GROUPS": "{}"}, "WORKER_GROUPS must be a JSON list"),
        (groups(), "WORKER_GROUPS must be a JSON list with at least one"),
        (groups("default"), "WORKER_GROUPS entry 0 is not an object"),
        (groups({**GROUP, "service": ""}), "entry 0 needs a non-empty string 'service'"),
        (groups({**GROUP, "concurrency": 0}), "entry 0 (default) needs an integer of at least 1 for 'concurrency'"),
        (groups({**GROUP, "max": "4"}), "entry 0 (default) needs an integer of at least 0 for 'max'"),
        (groups({**GROUP, "min": True}), "entry 0 (default) needs an integer of at least 0 for 'min'"),
        (groups({**GROUP, "min": 5}), "entry 0 (default) has min 5 above max 4"),
        (groups({**GROUP, "look_ahed": True}), "entry 0 (default) has the unknown key 'look_ahed'"),
        (groups({**GROUP, "look_ahead": "yes"}), "entry 0 (default) needs true or false for 'look_ahead'"),
        (groups({**GROUP, "hold_seconds": 3601}), "entry 0 (default) needs a number from 0 to 3600 for 'hold_seconds'"),
        (groups({**GROUP, "hold_seconds": 15}), "hold_seconds of default must be 0 or at least twice"),
        (groups({**GROUP, "latency_preference": True}), "needs a number from 0 to 3 for 'latency_preference'"),
        (groups({**GROUP, "schedules": {}, "min": -1}), "entry 0 (default) needs an integer of at least 0 for 'min'"),
        (groups({**GROUP, "schedules": "office"}), "entry 0 (default) needs a list for 'schedules'"),
        (schedule("office"), "entry 0 (default) schedule 0 is not an object"),
        (schedule({**OFFICE, "hours": 8}), "schedule 0 has the unknown key 'hours'"),
        (schedule({**OFFICE, "days": ["monday"]}), "schedule 0 needs a list of mon, tue, wed"),
        (
            schedule({**OFFICE, "days": "mon"}),
            "schedule 0 needs a list of mon, tue, wed, thu, fri, sat, sun for 'days'",
        ),
        (schedule({**OFFICE, "from": 480}), "schedule 0 needs a quoted time such as \"08:00\" for 'from', not 480"),
        (schedule({**OFFICE, "to": "25:00"}), "schedule 0 needs a quoted time such as \"08:00\" for 'to'"),
        (schedule({**OFFICE, "from": "24:00"}), "schedule 0 needs a quoted time such as \"08:00\" for 'from'"),
        (schedule({**OFFICE, "time_zone": "Europe/Atlantis"}), "has the unknown time zone 'Europe/Atlantis'"),
        (schedule({**OFFICE, "time_zone": "../etc/passwd"}), "has the unknown time zone"),
        (schedule({**OFFICE, "time_zone": 1}), "has the unknown time zone 1"),
        (schedule({**OFFICE, "min": None}), "schedule 0 needs 'min', 'max' or both"),
        (schedule({**OFFICE, "min": 5}), "schedule 0 has min 5 above max 4"),
        (schedule({**OFFICE, "max": 1}), "schedule 0 has min 2 above max 1"),
        (groups(GROUP, {**GROUP, "name": "b", "service": "b"}), "more than one group with queue default"),
        (groups(GROUP, {**GROUP, "name": "b", "queue": "b"}), "more than one group with service worker-default"),
    ],
)
def test_a_faulty_variable_is_named(change: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=r"^(SM2A_AUTOSCALER_|AWS_REGION)") as raised:
        load(ENVIRONMENT | change)
    assert message in str(raised.value)
    assert len(raised.value.problems) == 1


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        load({"SM2A_AUTOSCALER_TICK_SECONDS": "x"})
    assert [problem.split()[0] for problem in raised.value.problems] == [
        "SM2A_AUTOSCALER_CLUSTER",
        "AWS_REGION",
        "SM2A_AUTOSCALER_DATABASE_SECRET",
        "SM2A_AUTOSCALER_WORKER_GROUPS",
        "SM2A_AUTOSCALER_TICK_SECONDS",
    ]
