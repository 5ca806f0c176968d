# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Names and types by botocore's model."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import model as ecs_model


@pytest.fixture(scope="module")
def service_model() -> Any:
    """The model of the ECS API."""
    return botocore.session.get_session().get_service_model("ecs")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sizeInGiB", "size_in_gib"),
        ("enableECSManagedTags", "enable_ecs_managed_tags"),
        ("managedEBSVolume", "managed_ebs_volume"),
        ("s3BucketName", "s3_bucket_name"),
        ("readonlyRootFilesystem", "readonly_root_filesystem"),
        ("cpu", "cpu"),
    ],
)
def test_snake(name: str, expected: str) -> None:
    assert ecs_model.snake(name) == expected


@pytest.mark.parametrize("operation", ["RegisterTaskDefinition", "CreateService", "UpdateService", "RunTask"])
def test_no_two_members_share_a_snake_case_name(service_model: Any, operation: str) -> None:
    seen: set[str] = set()

    def visit(shape: Any) -> None:
        if shape.name in seen:
            return
        seen.add(shape.name)
        if shape.type_name == "structure":
            assert len({ecs_model.snake(member) for member in shape.members}) == len(shape.members)
            for member in shape.members.values():
                visit(member)
        elif shape.type_name == "list":
            visit(shape.member)

    visit(service_model.operation_model(operation).input_shape)
    assert len(seen) > 10


def test_round_trip_keeps_user_keys_and_converts_types(service_model: Any) -> None:
    shape = service_model.operation_model("RegisterTaskDefinition").input_shape
    given = {
        "family": "web",
        "cpu": 256,
        "ephemeral_storage": {"size_in_gib": "30"},
        "memory": None,
        "container_definitions": [
            {"name": "web", "essential": "yes", "docker_labels": {"myLabel": 1}, "stop_timeout": "120"}
        ],
    }
    converted = ecs_model.to_aws(given, shape)
    assert converted == {
        "family": "web",
        "cpu": "256",
        "ephemeralStorage": {"sizeInGiB": 30},
        "containerDefinitions": [
            {"name": "web", "essential": True, "dockerLabels": {"myLabel": "1"}, "stopTimeout": 120}
        ],
    }
    back = ecs_model.to_snake(converted, shape)
    assert back["container_definitions"][0]["docker_labels"] == {"myLabel": "1"}
    assert back["ephemeral_storage"] == {"size_in_gib": 30}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"family": "x"}, "missing container_definitions"),
        ({"family": "x", "container_definitions": {}}, "container_definitions: expected a list"),
        ({"family": "x", "container_definitions": ["y"]}, r"container_definitions\[0\]: expected a dictionary"),
        ({"family": "x", "container_definitions": [], "famly": "y"}, "unknown key 'famly'"),
        ({"family": ["x"], "container_definitions": []}, "family: expected a value of type string"),
        ({"family": "x", "container_definitions": [], "network_mode": "bus"}, "network_mode: expected one of"),
        ({"family": "x", "container_definitions": [{"essential": "perhaps"}]}, "essential: expected a value of type"),
    ],
)
def test_errors_name_the_place(service_model: Any, value: Any, message: str) -> None:
    with pytest.raises(AnsibleAWSError, match=message):
        ecs_model.to_aws(value, service_model.operation_model("RegisterTaskDefinition").input_shape)
