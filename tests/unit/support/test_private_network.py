# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Services that tasks need and that have no VPC endpoint are named, one by one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.stack import private_network
from ansible_collections.sm2a.airflow.tests.support.stack.local_aws_api import TaskCall

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/staging/airflow@sha256:0"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a"
DEFINITION: dict[str, Any] = {
    "family": "staging-worker",
    "containerDefinitions": [
        {"image": IMAGE, "logConfiguration": {"logDriver": "awslogs"}, "secrets": [{"name": "A", "valueFrom": SECRET}]}
    ],
}
CALLS = [
    TaskCall("staging-worker", "sqs", "vpce-1"),
    TaskCall("staging-worker", "s3", "vpce-2"),
    TaskCall("staging-autoscaler", "ecs", ""),
    TaskCall("staging-worker", "ecr", ""),
]
ALL = {"sqs", "s3", "ecs", "ecs-agent", "ecs-telemetry", "ecr.api", "ecr.dkr", "logs", "secretsmanager"}


def needs(execute_command: bool = False) -> list[tuple[str, str]]:
    of_fargate = private_network.of_task_definition(DEFINITION, execute_command)
    return [*private_network.of_calls(CALLS), *of_fargate]


def test_nothing_is_lacking_where_every_service_has_an_endpoint() -> None:
    assert private_network.lacking(needs(), ALL) == {}


@pytest.mark.parametrize("endpoint", sorted(ALL))
def test_a_service_without_an_endpoint_is_named(endpoint: str) -> None:
    assert list(private_network.lacking(needs(), ALL - {endpoint})) == [endpoint]


def test_who_needs_it_is_named() -> None:
    fargate, workers = "Fargate for staging-worker", "tasks with the role staging-worker"
    autoscaler = "tasks with the role staging-autoscaler"
    assert private_network.lacking(needs(), ALL - {"ecs", "ecr.dkr", "logs"}) == {
        "ecr.dkr": [fargate, workers],
        "ecs": [fargate, autoscaler],
        "logs": [fargate],
    }


def test_other_kinds_of_containers_need_other_services() -> None:
    parameter = {"name": "A", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/a"}
    container = {"image": "registry.example.com/a", "secrets": [parameter], "environmentFiles": [{"type": "s3"}]}
    private = {"image": "registry.example.com/b", "repositoryCredentials": {"credentialsParameter": SECRET}}
    definition = {"family": "a", "containerDefinitions": [container, private]}
    found = private_network.lacking(private_network.of_task_definition(definition), private_network.FARGATE)
    assert list(found) == ["s3", "secretsmanager", "ssm"]


def test_sessions_of_ecs_exec_need_one_more() -> None:
    assert list(private_network.lacking(needs(execute_command=True), ALL)) == ["ssmmessages"]
