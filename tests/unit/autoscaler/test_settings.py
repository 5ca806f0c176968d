# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Settings: the contract's environment is accepted, and every fault names its variable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sm2a_autoscaler.policy import PolicySettings, WorkerGroup
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


def test_the_least_environment_has_the_documented_defaults() -> None:
    settings = load(ENVIRONMENT)
    expected = WorkerGroup("default", "default", str(GROUP["queue_url"]), "worker-default", 4, 1, 4)
    assert (settings.cluster, settings.region) == ("sm2a", "eu-west-1")
    assert settings.database_secret == "sm2a/config/sql_alchemy_conn"
    assert settings.tick_seconds == 10
    assert settings.policy == PolicySettings((expected,), hold_seconds=60, stale_seconds=30)
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
    assert (settings.tick_seconds, settings.hold_seconds, settings.stale_seconds) == (2.5, 5, 12)
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
        (groups({**GROUP, "service": ""}), "entry 0 needs a non-empty text 'service'"),
        (groups({**GROUP, "concurrency": 0}), "entry 0 (default) needs a whole number 'concurrency' of at least 1"),
        (groups({**GROUP, "max": "4"}), "entry 0 (default) needs a whole number 'max'"),
        (groups({**GROUP, "min": True}), "entry 0 (default) needs a whole number 'min'"),
        (groups({**GROUP, "min": 5}), "entry 0 (default) has min 5 above max 4"),
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
