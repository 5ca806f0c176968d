# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A role with the published deploy policies, in an account that enforces them, and who it is then."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tools import deploy_policy

ACCOUNT = "000000000000"
NAME = "deploy"
DNS_ROLE, DNS_EXTERNAL_ID = "company-dns", "sm2a-try"
DNS_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{DNS_ROLE}"
BOUNDARY_ARN = f"arn:aws:iam::{ACCOUNT}:policy/{runs.NAME}-boundary"
Documents = dict[str, dict[str, Any]]


def written(directory: Path, *options: str) -> Documents:
    """What tools/deploy_policy.py writes with these options, by the file's name without .json."""
    place = ["--region", runs.REGION, "--account", ACCOUNT]
    limited = "--without-permissions-boundary" in options
    limit = [] if limited else ["--permissions-boundary", BOUNDARY_ARN]
    directory.mkdir()
    deploy_policy.main([runs.NAME, str(directory), *place, *limit, *options])
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(directory.glob("*.json"))}


@dataclass(frozen=True)
class DeployRole:
    """Somebody with the credentials of a session of a role."""

    aws: runs.ControlPlane
    keys: Mapping[str, str]

    def client(self, service: str) -> Any:
        """A boto3 client that is this role."""
        return boto3.client(
            service,
            region_name=runs.REGION,
            endpoint_url=self.aws.endpoint,
            aws_access_key_id=self.keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self.keys["AWS_SESSION_TOKEN"],
        )

    def play(self, playbook: str, **extra: Any) -> runs.PlaybookRun:
        """Run a playbook as this role."""
        environment = {**self.keys, "AWS_DEFAULT_REGION": runs.REGION, "AWS_EC2_METADATA_DISABLED": "true"}
        return self.aws.play(playbook, extra={"sm2a_aws_environment": environment, **extra})

    def arguments(self) -> dict[str, str]:
        """Options of a module that is run as this role."""
        return {
            "region": runs.REGION,
            "endpoint_url": self.aws.endpoint,
            "access_key": self.keys["AWS_ACCESS_KEY_ID"],
            "secret_key": self.keys["AWS_SECRET_ACCESS_KEY"],
            "session_token": self.keys["AWS_SESSION_TOKEN"],
        }


def assume(aws: runs.ControlPlane, documents: Documents, session_name: str) -> DeployRole:
    """Create what administrators create (the boundary, the role of the account with the hosted zones, and a role with
    exactly the other documents) and assume the latter.

    Once more with other documents replaces them.
    """
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    if NAME not in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=_document([trust]))
    for attached in iam.list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=NAME, PolicyArn=attached["PolicyArn"])
        iam.delete_policy(PolicyArn=attached["PolicyArn"])
    for name, document in documents.items():
        if name == f"{runs.NAME}-boundary":
            _ensure_boundary(iam, document)
        elif name == f"{runs.NAME}-dns":
            _ensure_dns_role(iam, document)
        else:
            made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]
            iam.attach_role_policy(RoleName=NAME, PolicyArn=made["Arn"])
    return session(aws, NAME, session_name)


def session(aws: runs.ControlPlane, role: str, name: str) -> DeployRole:
    """A session of a role; ``name`` tells its calls in the record from those of another one."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    keys = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
    return DeployRole(
        aws,
        {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        },
    )


def _ensure_boundary(iam: Any, document: Mapping[str, Any]) -> None:
    policies = [policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]]
    if BOUNDARY_ARN not in policies:
        iam.create_policy(PolicyName=BOUNDARY_ARN.rpartition("/")[2], PolicyDocument=json.dumps(document))


def _ensure_dns_role(iam: Any, document: Mapping[str, Any]) -> None:
    """As docs/permissions.md has it, but in the only account of the local AWS. The deploy role lacks this right."""
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{NAME}"},
        "Condition": {"StringEquals": {"sts:ExternalId": DNS_EXTERNAL_ID}},
    }
    if DNS_ROLE not in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        iam.create_role(RoleName=DNS_ROLE, AssumeRolePolicyDocument=_document([trust]))
    iam.put_role_policy(RoleName=DNS_ROLE, PolicyName="dns", PolicyDocument=json.dumps(document))


def _document(statements: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
