# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whoever has the credentials of a task tries to get further, in an environment that site.yml made for two teams."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.support.control_plane import (
    ACCESS_KEY,
    DEFAULT_GROUP,
    GROUP_SIZE,
    NAME,
    REGION,
    ControlPlane,
)
from botocore.exceptions import ClientError

OPTIONS: dict[str, Any] = {
    "airflow_worker_groups": [
        DEFAULT_GROUP,
        {"name": "payments", "queue": "payments", "own_task_role": True, **GROUP_SIZE},
        {"name": "science", "queue": "science", "own_task_role": True, **GROUP_SIZE},
    ],
    "secrets_connections": {"shared": "s3://shared"},
    "secrets_group_connections": {"payments": {"ledger": "postgresql://ledger.example.com"}},
    "secrets_group_variables": {"payments": {"limit": "7"}},
}
DENIED = ("AccessDenied", "AccessDeniedException")
SHARED, PAYMENTS, SCIENCE = "worker", "worker-payments", "worker-science"
OTHERS = ("api-server", "scheduler", "dag-processor", "triggerer", "migrate", "autoscaler", SHARED, SCIENCE)
LOG = "airflow/dag_id=payroll/run_id=one/task_id=pay/attempt=1.log"
# Client of a service, with the credentials of a role.
As = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def aws(control_plane: ControlPlane) -> ControlPlane:
    """The environment."""
    site = control_plane.play("site", extra=OPTIONS)
    assert site.code == 0, site.end()
    return control_plane


@pytest.fixture(scope="module")
def act_as(aws: ControlPlane) -> As:
    """Sessions of task roles, for which the trust of each role is widened: only ECS can take them otherwise."""
    iam, sts = aws.client("iam"), aws.client("sts")
    account = sts.get_caller_identity()["Account"]
    anybody = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    sessions: dict[str, dict[str, str]] = {}

    def client(role: str, service: str) -> Any:
        if role not in sessions:
            name = role if role == "other-application" else f"{NAME}-{role}"
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
            arn = f"arn:aws:iam::{account}:role/{name}"
            sessions[role] = sts.assume_role(RoleArn=arn, RoleSessionName="attacker")["Credentials"]
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=aws.endpoint,
            aws_access_key_id=sessions[role]["AccessKeyId"],
            aws_secret_access_key=sessions[role]["SecretAccessKey"],
            aws_session_token=sessions[role]["SessionToken"],
        )

    return client


@pytest.fixture(scope="module")
def generous(aws: ControlPlane) -> Iterator[str]:
    """A role of another application in the account, which may do everything."""
    iam, name = aws.client("iam"), "other-application"
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    yield name
    iam.delete_role_policy(RoleName=name, PolicyName="own")
    iam.delete_role(RoleName=name)


def refused(call: Callable[..., Any], /, **parameters: Any) -> None:
    """The call must end in AWS's refusal, not in another error."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] in DENIED, caught.value


def queue(aws: ControlPlane, name: str) -> str:
    url: str = aws.client("sqs").get_queue_url(QueueName=f"{NAME}-{name}")["QueueUrl"]
    return url


def task(aws: ControlPlane, service: str) -> str:
    """A running task of a service."""
    found: list[str] = aws.client("ecs").list_tasks(cluster=NAME, serviceName=service)["taskArns"]
    return found[0]


@pytest.mark.parametrize("secret", ["connections/ledger", "variables/limit"])
def test_nobody_else_reads_a_secret_of_a_team(aws: ControlPlane, act_as: As, generous: str, secret: str) -> None:
    name = f"{NAME}/groups/payments/{secret}"
    assert act_as(PAYMENTS, "secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    for role in (*OTHERS, generous):
        refused(act_as(role, "secretsmanager").get_secret_value, SecretId=name)
    # Who deploys compares it.
    assert aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]


def test_a_generous_role_reads_no_secret_of_the_environment(aws: ControlPlane, act_as: As, generous: str) -> None:
    pages = aws.client("secretsmanager").get_paginator("list_secrets").paginate()
    names = [secret["Name"] for page in pages for secret in page["SecretList"]]
    mine = [name for name in names if name.startswith(f"{NAME}/")]
    assert len(mine) >= 11
    thief = act_as(generous, "secretsmanager")
    for name in mine:
        refused(thief.get_secret_value, SecretId=name)
    thief.describe_secret(SecretId=mine[0])


def test_a_component_reads_its_own_configuration(act_as: As) -> None:
    for role, secret in (("scheduler", "jwt_secret"), (SHARED, "result_backend"), (PAYMENTS, "api_secret_key")):
        assert act_as(role, "secretsmanager").get_secret_value(SecretId=f"{NAME}/config/{secret}")["SecretString"]
    for role, secret in ((SHARED, "jwt_secret"), (PAYMENTS, "sql_alchemy_conn"), ("triggerer", "result_backend")):
        refused(act_as(role, "secretsmanager").get_secret_value, SecretId=f"{NAME}/config/{secret}")


def test_no_worker_puts_a_task_into_a_queue(aws: ControlPlane, act_as: As) -> None:
    for role in (SHARED, PAYMENTS, SCIENCE, "triggerer", "dag-processor", "autoscaler"):
        for name in ("default", "payments", "science", "dead-letter"):
            refused(act_as(role, "sqs").send_message, QueueUrl=queue(aws, name), MessageBody="a task of my own")


def test_a_worker_takes_no_task_of_another_team(aws: ControlPlane, act_as: As) -> None:
    owners = {"default": SHARED, "payments": PAYMENTS, "science": SCIENCE}
    for name, owner in owners.items():
        url = queue(aws, name)
        act_as("scheduler", "sqs").send_message(QueueUrl=url, MessageBody="a task")
        for thief in {*owners.values()} - {owner}:
            refused(act_as(thief, "sqs").receive_message, QueueUrl=url)
        mine = act_as(owner, "sqs")
        (message,) = mine.receive_message(QueueUrl=url)["Messages"]
        for thief in {*owners.values()} - {owner}:
            refused(act_as(thief, "sqs").delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        mine.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_worker_protects_and_stops_no_task_of_others(aws: ControlPlane, act_as: As) -> None:
    own = {SHARED: "worker-default", PAYMENTS: "worker-payments", SCIENCE: "worker-science"}
    services = (*own.values(), "scheduler", "api-server")
    for role, mine in own.items():
        ecs = act_as(role, "ecs")
        for service in services:
            protect = {"cluster": NAME, "tasks": [task(aws, service)], "protectionEnabled": True}
            if service == mine:
                assert ecs.update_task_protection(**protect)["protectedTasks"]
            else:
                refused(ecs.update_task_protection, **protect)
            refused(ecs.stop_task, cluster=NAME, task=task(aws, service))
            refused(ecs.describe_tasks, cluster=NAME, tasks=[task(aws, service)])
        refused(ecs.list_tasks, cluster=NAME)


@pytest.mark.parametrize("role", [SHARED, PAYMENTS, "triggerer"])
def test_logs_are_only_added_to(aws: ControlPlane, act_as: As, role: str) -> None:
    buckets = [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]]
    (bucket,) = [name for name in buckets if name.startswith(f"{NAME}-logs-")]
    key = f"{LOG}.{role}.log"
    s3 = act_as(role, "s3")
    refused(s3.put_object, Bucket=bucket, Key=key, Body=b"mine")
    s3.put_object(Bucket=bucket, Key=key, Body=b"mine", IfNoneMatch="*")
    refused(s3.put_object, Bucket=bucket, Key=key, Body=b"changed")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"changed", IfNoneMatch="*")
    # The policy asks for the header alone; S3 takes no other value of it.
    with pytest.raises(ClientError, match="NotImplemented"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"changed", IfNoneMatch='"0"')
    refused(s3.get_object, Bucket=bucket, Key=key)
    refused(s3.list_objects_v2, Bucket=bucket, Prefix="airflow/")
    refused(s3.delete_object, Bucket=bucket, Key=key)
    assert act_as("api-server", "s3").get_object(Bucket=bucket, Key=key)["Body"].read() == b"mine"


def test_the_autoscaler_runs_nothing_but_workers(act_as: As) -> None:
    ecs = act_as("autoscaler", "ecs")
    refused(ecs.update_service, cluster=NAME, service="worker-default", taskDefinition=f"{NAME}-migrate")
    refused(ecs.update_service, cluster=NAME, service="scheduler", desiredCount=0)
    ecs.update_service(cluster=NAME, service="worker-default", desiredCount=2)


def test_nobody_uses_the_key_past_the_services(aws: ControlPlane, act_as: As) -> None:
    kms, key = aws.client("kms"), f"alias/{NAME}"
    found = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    secret = kms.encrypt(KeyId=found, Plaintext=b"secret")["CiphertextBlob"]
    for role in (SHARED, PAYMENTS, "triggerer", "api-server", "scheduler"):
        refused(act_as(role, "kms").decrypt, CiphertextBlob=secret, KeyId=found)


def test_the_environment_is_the_administrators(aws: ControlPlane) -> None:
    """Everything above is refused to the attackers, not by an AWS that refuses everybody."""
    assert ACCESS_KEY
    assert aws.client("sqs").send_message(QueueUrl=queue(aws, "payments"), MessageBody="of the administrator")
