# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Roles and users do what their policies say, over the API."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import CLUSTER, LocalAws
from ansible_collections.sm2a.airflow.tests.unit.local_aws.iam.conftest import (
    ACCOUNT,
    TRUST,
    Client,
    allow,
    client_with,
)
from ansible_collections.sm2a.airflow.tests.unit.local_aws.iam.forged import send
from botocore.exceptions import ClientError

SERVICES = (
    "ec2 ecs elbv2 rds s3 sqs secretsmanager kms iam logs cloudwatch sns ecr acm route53 servicediscovery wafv2 "
    "service-quotas"
)
SOME_CALLS = {
    "ec2": "describe_vpcs",
    "ecs": "list_clusters",
    "elbv2": "describe_load_balancers",
    "rds": "describe_db_instances",
    "s3": "list_buckets",
    "sqs": "list_queues",
    "secretsmanager": "list_secrets",
    "kms": "list_keys",
    "iam": "list_roles",
    "logs": "describe_log_groups",
    "cloudwatch": "describe_alarms",
    "sns": "list_topics",
    "ecr": "describe_repositories",
    "acm": "list_certificates",
    "route53": "list_hosted_zones",
    "servicediscovery": "list_namespaces",
    "wafv2": "list_web_acls",
    "service-quotas": "list_services",
}


def refusal(call: Callable[..., Any], /, **parameters: Any) -> dict[str, Any]:
    """The error of a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error: dict[str, Any] = caught.value.response["Error"]
    return error


def test_a_session_knows_itself(role: Callable[..., Client]) -> None:
    identity = role(allow("s3:*"))("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/role-0/session"
    assert identity["UserId"].endswith(":session")


@pytest.mark.parametrize("service", SERVICES.split())
def test_what_no_policy_allows_is_refused_in_the_words_of_the_service(
    role: Callable[..., Client], service: str
) -> None:
    parameters = {"Scope": "REGIONAL"} if service == "wafv2" else {}
    error = refusal(getattr(role(allow("none:None"))(service), SOME_CALLS[service]), **parameters)
    assert error["Code"] in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
    assert (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/role-0/session is not authorized to perform: " in error["Message"]
    )
    assert "because no identity-based policy allows the " in error["Message"]


@pytest.mark.parametrize("service", SERVICES.split())
def test_what_a_policy_allows_is_done(role: Callable[..., Client], service: str) -> None:
    parameters = {"Scope": "REGIONAL"} if service == "wafv2" else {}
    assert getattr(role(allow("*"))(service), SOME_CALLS[service])(**parameters)


def test_another_secret_is_not_read(control_plane: LocalAws, role: Callable[..., Client]) -> None:
    secrets = control_plane.client("secretsmanager")
    arns = {name: secrets.create_secret(Name=name, SecretString=name)["ARN"] for name in ("own/a", "other/b")}
    session = role(allow("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:own/*"))
    reader = session("secretsmanager")
    assert reader.get_secret_value(SecretId="own/a")["SecretString"] == "own/a"
    for name in ("other/b", arns["other/b"]):
        error = refusal(reader.get_secret_value, SecretId=name)
        assert error["Code"] == "AccessDeniedException"
        assert f"perform: secretsmanager:GetSecretValue on resource: {arns['other/b']} because" in error["Message"]
    assert refusal(reader.batch_get_secret_value, SecretIdList=["other/b"])["Code"] == "AccessDeniedException"
    assert refusal(reader.put_secret_value, SecretId="own/a", SecretString="x")["Code"] == "AccessDeniedException"


def test_tasks_are_neither_started_nor_stopped(control_plane: LocalAws, role: Callable[..., Client]) -> None:
    definition = control_plane.task_definition("attacked")
    task = control_plane.run_task(definition)
    attacker = role(allow(["ecs:DescribeTasks", "sqs:*"]))("ecs")
    assert attacker.describe_tasks(cluster=CLUSTER, tasks=[task])["tasks"]
    assert refusal(attacker.run_task, cluster=CLUSTER, taskDefinition=definition)["Code"] == "AccessDeniedException"
    assert refusal(attacker.stop_task, cluster=CLUSTER, task=task)["Code"] == "AccessDeniedException"


def test_a_role_is_handed_over_by_who_may_pass_it(control_plane: LocalAws, role: Callable[..., Client]) -> None:
    """RunTask with another role would be a way to its rights."""
    iam = control_plane.client("iam")
    arn = iam.create_role(RoleName="powerful", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    try:
        definition = control_plane.task_definition("passed")
        execution_role = f"arn:aws:iam::{ACCOUNT}:role/execution"
        runner = role(allow("ecs:*"), allow("iam:PassRole", execution_role))("ecs")
        assert runner.run_task(cluster=CLUSTER, launchType="FARGATE", taskDefinition=definition)["tasks"]
        error = refusal(
            runner.run_task,
            cluster=CLUSTER,
            launchType="FARGATE",
            taskDefinition=definition,
            overrides={"taskRoleArn": arn},
        )
        assert f"iam:PassRole on resource: {arn}" in error["Message"]
    finally:
        iam.delete_role(RoleName="powerful")


def test_a_boundary_limits(control_plane: LocalAws, role: Callable[..., Client]) -> None:
    iam = control_plane.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("sqs:*")]})
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    session = role(allow("*"), PermissionsBoundary=boundary)
    session("sqs").list_queues()
    error = refusal(session("sns").list_topics)
    assert "because no permissions boundary allows the sns:ListTopics action" in error["Message"]


def test_a_user_is_bound_and_its_key_is_checked(control_plane: LocalAws) -> None:
    iam = control_plane.client("iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(
        UserName="reader",
        PolicyName="own",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow("sqs:ListQueues")]}),
    )
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    client_with(control_plane, "sqs", key).list_queues()
    assert "reader is not authorized" in refusal(client_with(control_plane, "sns", key).list_topics)["Message"]
    forged = {**key, "SecretAccessKey": "guessed"}
    assert refusal(client_with(control_plane, "sqs", forged).list_queues)["Code"] == "SignatureDoesNotMatch"


def test_a_session_without_its_token_is_nobody(control_plane: LocalAws, role: Callable[..., Client]) -> None:
    session = role(allow("*"))("sqs")
    key = session._request_signer._credentials
    for token in (None, "another"):
        stolen = {"AccessKeyId": key.access_key, "SecretAccessKey": key.secret_key, "SessionToken": token}
        error = refusal(client_with(control_plane, "sqs", stolen).list_queues)
        assert error["Code"] in ("InvalidClientTokenId", "UnrecognizedClientException")
    unknown = {"AccessKeyId": f"ASIA{'A' * 16}", "SecretAccessKey": "x", "SessionToken": "x"}
    assert refusal(client_with(control_plane, "sqs", unknown).list_queues)["Code"] == "InvalidClientTokenId"


def test_a_presigned_address_is_checked_too(control_plane: LocalAws, role: Callable[..., Client]) -> None:
    s3 = control_plane.client("s3")
    s3.create_bucket(Bucket="presigned", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key in ("mine/a", "other/b"):
        s3.put_object(Bucket="presigned", Key=key, Body=key.encode())
    session = role(allow("s3:GetObject", "arn:aws:s3:::presigned/mine/*"))("s3")

    def address(key: str) -> str:
        return str(session.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": key}))

    assert requests.get(address("mine/a"), timeout=10).text == "mine/a"
    assert requests.get(address("other/b"), timeout=10).status_code == 403
    assert requests.get(address("mine/a").replace("mine/a", "other/b"), timeout=10).status_code == 403
    # Without a signature that is checked, the key is nobody's.
    key = session._request_signer._credentials.access_key
    old = f"http://127.0.0.1:{control_plane.port}/presigned/other/b?AWSAccessKeyId={key}&Signature=x&Expires=9999999999"
    assert requests.get(old, timeout=10).status_code == 400


@pytest.mark.parametrize(
    "key", ["run_id=manual__2026-11-29T22:00:00+00:00/attempt=1.log", "a b/ü~(1)'*!.log", "//a/../b"]
)
def test_odd_names_are_signed_as_aws_wants_it(control_plane: LocalAws, role: Callable[..., Client], key: str) -> None:
    bucket = f"odd-names-{len(key)}"
    control_plane.client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    s3 = role(allow("s3:*", [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]))("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=b"x", Metadata={"text": "two  words"})
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]] == [key]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})


def test_a_large_object_goes_up_in_parts(control_plane: LocalAws, role: Callable[..., Client]) -> None:
    control_plane.client("s3").create_bucket(
        Bucket="in-parts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    s3 = role(allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::in-parts/*"))("s3")
    s3.upload_fileobj(io.BytesIO(b"x" * (9 << 20)), "in-parts", "large")
    assert s3.head_object(Bucket="in-parts", Key="large")["ContentLength"] == 9 << 20


def test_a_call_cannot_pass_for_another(control_plane: LocalAws, role: Callable[..., Client]) -> None:
    """Signed as one service and routed to another; two operations in one request."""
    key = role(allow("sqs:*"), allow("sts:*"))("sqs")._request_signer._credentials
    address = f"http://127.0.0.1:{control_plane.port}/"
    json_call = {"X-Amz-Target": "secretsmanager.ListSecrets", "Content-Type": "application/x-amz-json-1.1"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for service, path, headers, body in (
        ("sqs", "", json_call, "{}"),
        ("sts", "?Action=GetCallerIdentity", json_call, "{}"),
        ("iam", "?Action=ListRoles", form, "Action=CreateUser&UserName=forged"),
        ("sts", "?Action=GetCallerIdentity", form, "Action=AssumeRole"),
        ("s3", "_ministack/reset", {}, ""),
        ("s3", "v2/_catalog", {}, ""),
    ):
        answer = send(key, "POST", service, address + path, headers, body=body)
        assert answer.status_code in (400, 403), (service, path, answer.text)
