# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""In a new account the first call works: modules wait until a service can use the role that it just made for itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.common import error_advice, role_propagation
from ansible_collections.sm2a.airflow.tests.support.control_plane import ControlPlane
from ansible_collections.sm2a.airflow.tests.support.emulators import local_aws
from ansible_collections.sm2a.airflow.tests.support.modules import ModuleFailedError, RunModule
from botocore.client import BaseClient
from botocore.exceptions import ClientError

Aws = Callable[[str], Any]
# Seconds until a service can assume its role.
PROPAGATION = 1.0
PAUSE = 0.3
ECS_WORDS = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
RDS_WORDS = "Unable to create the resource. Verify that you have permission to create service linked role."
GROUP_WORDS = (
    "Missing necessary credentials. Please check "
    "http://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html"
)
SUBNETS = ["subnet-00000001", "subnet-00000002"]
CLUSTER = {"name": "new"}
SUBNET_GROUP = {"name": "new", "description": "new", "subnet_ids": SUBNETS}
INSTANCE = {
    "identifier": "new",
    "engine": "postgres",
    "engine_version": "17",
    "instance_class": "db.t4g.micro",
    "allocated_storage": 20,
    "master_username": "sm2a",
}
LOAD_BALANCER = {"name": "new", "subnet_ids": SUBNETS, "security_group_ids": ["sg-0123456789abcdef0"], "listeners": []}


@pytest.fixture(scope="module")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("new_account")
    times = directory / "times.json"
    times.write_text(json.dumps({"service_linked_role": PROPAGATION}))
    with local_aws(directory, "--waiting-times", str(times)) as url:
        yield url


@pytest.fixture(autouse=True)
def new_account(aws_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is in the account, and modules look again soon."""
    ControlPlane(aws_endpoint, tmp_path).reset()
    monkeypatch.setattr(role_propagation, "PAUSES", (PAUSE,) * 40)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Operations that AWS refused, in order."""
    call = BaseClient._make_api_call
    found: list[str] = []

    def noted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        try:
            return call(client, operation, parameters)
        except ClientError as error:
            if error.response["Error"]["Code"].startswith("InvalidParameter"):
                found.append(operation)
            raise

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return found


@dataclass(frozen=True)
class First:
    """What is the first of a service: a module that makes it with one call, and the role that the service needs."""

    module: str
    arguments: dict[str, Any]
    operation: str
    role: str
    words: str


FIRST = [
    First("ecs_cluster", CLUSTER, "CreateCluster", "AWSServiceRoleForECS", ECS_WORDS),
    First("rds_subnet_group", SUBNET_GROUP, "CreateDBSubnetGroup", "AWSServiceRoleForRDS", GROUP_WORDS),
    First("rds_instance", INSTANCE, "CreateDBInstance", "AWSServiceRoleForRDS", RDS_WORDS),
]


@pytest.mark.parametrize("first", FIRST, ids=lambda first: first.module)
def test_it_is_made_when_its_service_can_use_its_role(
    run_module: RunModule, aws: Aws, refused: list[str], first: First
) -> None:
    assert aws("iam").list_roles()["Roles"] == []
    assert run_module(first.module, first.arguments)["changed"]
    assert set(refused) == {first.operation}
    assert [one["RoleName"] for one in aws("iam").list_roles()["Roles"]] == [first.role]
    assert not run_module(first.module, first.arguments)["changed"]


def test_the_first_load_balancer_is_made(run_module: RunModule, aws: Aws, refused: list[str]) -> None:
    assert run_module("elbv2_load_balancer", LOAD_BALANCER)["changed"]
    assert refused == []
    assert [one["RoleName"] for one in aws("iam").list_roles()["Roles"]] == ["AWSServiceRoleForElasticLoadBalancing"]


def refuse(monkeypatch: pytest.MonkeyPatch, operation: str, message: str, times: int) -> list[str]:
    """Let AWS refuse the first calls of an operation; those that it refused."""
    call = BaseClient._make_api_call
    found: list[str] = []

    def scripted(client: Any, name: str, parameters: dict[str, Any]) -> Any:
        if name == operation and len(found) < times:
            found.append(name)
            raise ClientError({"Error": {"Code": "InvalidParameterValue", "Message": message}}, name)
        return call(client, name, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", scripted)
    return found


def test_the_first_service_is_made_once(run_module: RunModule, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    run_module("ecs_cluster", CLUSTER)
    definition = {
        "family": "new",
        "cpu": 256,
        "memory": 512,
        "execution_role_arn": "arn:aws:iam::000000000000:role/execution",
        "container_definitions": [{"name": "web", "image": "example/web"}],
    }
    run_module("ecs_task_definition", {"task_definitions": [definition]})
    refusals = refuse(monkeypatch, "CreateService", ECS_WORDS, 2)
    service = {"name": "new", "task_definition": "new", "desired_count": 0, "launch_type": "FARGATE"}
    assert run_module("ecs_service", {"cluster": "new", "services": [service]})["changed"]
    assert refusals == ["CreateService"] * 2
    assert len(aws("ecs").list_services(cluster="new")["serviceArns"]) == 1


@pytest.mark.parametrize("first", FIRST, ids=lambda first: first.module)
def test_a_role_that_never_comes_says_what_to_do(
    run_module: RunModule, monkeypatch: pytest.MonkeyPatch, first: First
) -> None:
    monkeypatch.setattr(role_propagation, "PAUSES", (0.0, 0.0))
    refusals = refuse(monkeypatch, first.operation, first.words, 99)
    with pytest.raises(ModuleFailedError) as failed:
        run_module(first.module, first.arguments)
    assert len(refusals) == 3
    assert first.words in failed.value.result["msg"]
    assert failed.value.result["msg"].endswith(error_advice.SERVICE_ROLE)
