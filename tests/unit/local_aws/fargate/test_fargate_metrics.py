# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How much of its memory a task uses."""

from typing import Any

import pytest
from sm2a_local_aws.fargate import metrics

TASK: dict[str, Any] = {
    "lastStatus": "RUNNING",
    "group": "service:api-server",
    "clusterArn": "arn:aws:ecs:eu-west-1:000000000000:cluster/staging",
    "memory": "2048",
    "_docker_ids": ["a", "b"],
}


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        ({}, True),
        ({"lastStatus": "STOPPED"}, False),
        ({"group": "family:migrate"}, False),
        ({"_docker_ids": []}, False),
        ({"memory": None}, False),
    ],
)
def test_running_tasks_of_services_count(change: dict[str, Any], counted: bool) -> None:
    assert metrics.is_counted({**TASK, **change}) is counted


def test_a_service_is_named_as_cloudwatch_does() -> None:
    assert metrics.dimensions(TASK) == {"ClusterName": "staging", "ServiceName": "api-server"}


@pytest.mark.parametrize(
    ("memory", "used"),
    [
        ({"usage": 300, "stats": {"inactive_file": 100}}, 200),
        ({"usage": 300, "stats": {"total_inactive_file": 50, "cache": 200}}, 250),
        ({"usage": 300}, 300),
        ({"usage": 10, "stats": {"inactive_file": 100}}, 0),
        (None, 0),
    ],
)
def test_what_the_kernel_can_take_back_is_not_used(memory: dict[str, Any] | None, used: int) -> None:
    assert metrics.used_bytes({"memory_stats": memory}) == used
