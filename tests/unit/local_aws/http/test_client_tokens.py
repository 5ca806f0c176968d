# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A call that comes again with its client token is done once."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_run_task_of_one_token_runs_one_task(control_plane: Any) -> None:
    ecs = control_plane.client("ecs")
    definition = control_plane.task_definition("token")
    first, again, other = (
        ecs.run_task(cluster="tests", taskDefinition=definition, launchType="FARGATE", clientToken=token)["tasks"][0][
            "taskArn"
        ]
        for token in ("a" * 32, "a" * 32, "b" * 32)
    )
    assert first == again
    assert first != other


def test_each_service_keeps_the_resource_of_a_token(control_plane: Any) -> None:
    ec2, acm, names = (control_plane.client(service) for service in ("ec2", "acm", "servicediscovery"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    tables = {ec2.create_route_table(VpcId=vpc, ClientToken="one")["RouteTable"]["RouteTableId"] for _ in range(2)}
    certificates = {
        acm.request_certificate(DomainName="token.example.com", IdempotencyToken="one")["CertificateArn"]
        for _ in range(2)
    }
    operations = {names.create_http_namespace(Name="token", CreatorRequestId="one")["OperationId"] for _ in range(2)}
    assert (len(tables), len(certificates), len(operations)) == (1, 1, 1)


def test_create_service_again_answers_with_the_service(control_plane: Any) -> None:
    ecs = control_plane.client("ecs")
    definition = control_plane.task_definition("token-service")
    members = {
        "cluster": "tests",
        "serviceName": "token",
        "taskDefinition": definition,
        "desiredCount": 0,
        "launchType": "FARGATE",
    }
    first = ecs.create_service(**members, clientToken="one")["service"]
    assert ecs.create_service(**members, clientToken="one")["service"]["serviceArn"] == first["serviceArn"]


def test_a_refused_call_is_tried_again(control_plane: Any) -> None:
    secrets = control_plane.client("secretsmanager")
    token = "c" * 32
    value = {"SecretId": "token", "SecretString": "x", "ClientRequestToken": token}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.put_secret_value(**value)
    secrets.create_secret(Name="token", SecretString="w")
    assert secrets.put_secret_value(**value)["VersionId"] == token


def test_calls_without_a_token_are_done_each_time(control_plane: Any) -> None:
    ec2 = control_plane.client("ec2")
    vpcs = {ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"] for _ in range(2)}
    assert len(vpcs) == 2
