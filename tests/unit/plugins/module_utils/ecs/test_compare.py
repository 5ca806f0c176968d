# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What counts as the same."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import compare as ecs_compare


@pytest.mark.parametrize(
    ("current", "wanted", "expected"),
    [
        (["b", "a"], ["a", "b"], True),
        (["a", "a"], ["a", "b"], False),
        (["a", "b", "c"], ["a", "b"], False),
        ({"x": 1, "added_by_ecs": 2}, {"x": 1}, True),
        ({"x": 1}, {"x": 1, "y": 2}, False),
        ({"x": 1}, {"x": 1, "y": []}, True),
        (None, {}, True),
        (None, {"enabled": False}, True),
        (None, {"enabled": True}, False),
        ({}, {"enabled": False}, True),
        ([{"p": "a", "w": 1}, {"p": "b"}], [{"p": "b", "w": 0}, {"p": "a", "w": 1}], True),
        ([{"p": "a"}], [{"p": "a", "w": 1}], False),
        (1, True, True),
        ("1", 1, False),
    ],
)
def test_covers(current: Any, wanted: Any, expected: bool) -> None:
    assert ecs_compare.covers(current, wanted) is expected


def test_merged_keeps_what_is_not_declared() -> None:
    current = {"awsvpcConfiguration": {"subnets": ["a"], "securityGroups": ["s"], "assignPublicIp": ""}}
    wanted = {"awsvpcConfiguration": {"subnets": ["b"]}}
    assert ecs_compare.merged(current, wanted) == {
        "awsvpcConfiguration": {"subnets": ["b"], "securityGroups": ["s"]},
    }


def described() -> dict[str, Any]:
    """A service as ECS on AWS describes it, with members that nobody declared."""
    return {
        "taskDefinition": "arn:aws:ecs:eu-west-1:1:task-definition/web:7",
        "platformVersion": "1.4.0",
        "deploymentConfiguration": {"maximumPercent": 200, "strategy": "ROLLING", "bakeTimeInMinutes": 0},
        "deployments": [
            {"id": "old", "status": "ACTIVE", "serviceConnectConfiguration": {"enabled": False}},
            {
                "id": "new",
                "status": "PRIMARY",
                "rolloutState": "COMPLETED",
                "serviceConnectConfiguration": {"enabled": True, "namespace": "n"},
            },
        ],
    }


@pytest.mark.parametrize(
    "wanted",
    [
        {"taskDefinition": "web:7"},
        {"platformVersion": "LATEST"},
        {"deploymentConfiguration": {"maximumPercent": 200}},
        {"serviceConnectConfiguration": {"enabled": True, "services": []}},
    ],
)
def test_a_service_that_is_as_declared(wanted: dict[str, Any]) -> None:
    assert ecs_compare.service_changes(described(), wanted) == {}


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        ({"taskDefinition": "web:8"}, {"taskDefinition": "web:8"}),
        ({"platformVersion": "1.3.0"}, {"platformVersion": "1.3.0"}),
        (
            {"deploymentConfiguration": {"maximumPercent": 150}},
            {"deploymentConfiguration": {"maximumPercent": 150, "strategy": "ROLLING"}},
        ),
        ({"serviceConnectConfiguration": {"enabled": False}}, {"serviceConnectConfiguration": {"enabled": False}}),
        ({"propagateTags": "SERVICE"}, {"propagateTags": "SERVICE", "forceNewDeployment": True}),
    ],
)
def test_a_service_that_differs(wanted: dict[str, Any], changes: dict[str, Any]) -> None:
    assert ecs_compare.service_changes(described(), wanted) == changes


def test_what_is_off_and_was_never_on_does_not_differ() -> None:
    service = described()
    del service["deployments"][1]["serviceConnectConfiguration"]
    assert ecs_compare.service_changes(service, {"serviceConnectConfiguration": {"enabled": False}}) == {}
    on = {"serviceConnectConfiguration": {"enabled": True}}
    assert ecs_compare.service_changes(service, on) == on


def test_a_task_definition_as_aws_describes_it_equals_what_was_registered() -> None:
    registered = {
        "family": "web",
        "cpu": "256",
        "runtimePlatform": {"cpuArchitecture": "ARM64"},
        "volumes": [{"name": "tmp"}],
        "containerDefinitions": [
            {
                "name": "web",
                "image": "x",
                "portMappings": [{"containerPort": 8080}],
                "environment": [{"name": "B", "value": ""}, {"name": "A", "value": "1"}],
                "healthCheck": {"command": ["CMD", "true"]},
            }
        ],
    }
    on_aws = {
        **registered,
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/web:7",
        "revision": 7,
        "status": "ACTIVE",
        "requiresAttributes": [{"name": "ecs.capability.task-eni"}],
        "compatibilities": ["EC2", "FARGATE"],
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "placementConstraints": [],
        "registeredBy": "someone",
        "enableFaultInjection": False,
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "volumes": [{"name": "tmp", "host": {}}],
        "containerDefinitions": [
            {
                "name": "web",
                "image": "x",
                "cpu": 0,
                "essential": True,
                "mountPoints": [],
                "volumesFrom": [],
                "systemControls": [],
                "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
                "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": ""}],
                "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3},
            }
        ],
    }
    assert ecs_compare.comparable_task_definition(on_aws) == ecs_compare.comparable_task_definition(registered)
