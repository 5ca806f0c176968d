# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Roles of a local AWS without an engine, and clients of theirs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import LocalAws
from botocore.config import Config

Client = Callable[[str], Any]

ACCOUNT = "000000000000"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
}


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def client_with(aws: LocalAws, service: str, credentials: dict[str, str]) -> Any:
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{aws.port}",
        region_name="eu-west-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
        config=Config(signature_version="s3v4") if service == "s3" else None,
    )


@pytest.fixture
def role(control_plane: LocalAws) -> Iterator[Callable[..., Client]]:
    """Makes a role with statements and assumes it; a function from a service to a client of that session."""
    iam = control_plane.client("iam")
    made: list[str] = []

    def make(*statements: dict[str, Any], **options: Any) -> Client:
        name = f"role-{len(made)}"
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **options)["Role"]["Arn"]
        made.append(name)
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        answer = control_plane.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")
        return lambda service: client_with(control_plane, service, answer["Credentials"])

    yield make
    for name in made:
        iam.delete_role_policy(RoleName=name, PolicyName="own")
        iam.delete_role(RoleName=name)
