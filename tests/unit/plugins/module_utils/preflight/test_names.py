# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Names that somebody else has, and names that the environment has itself."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight import names
from ansible_collections.sm2a.airflow.tests.support import modules as support
from botocore.stub import Stubber

OWN = [{"Key": "sm2a:environment", "Value": "staging"}]


def role(region: str | list[str] | None, tags: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """A role that tasks of ``region`` alone may assume."""
    condition: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    if region:
        arns = [f"arn:aws:ecs:{one}:123456789012:*" for one in ([region] if isinstance(region, str) else region)]
        condition["ArnLike"] = {"aws:SourceArn": arns[0] if isinstance(region, str) else arns}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": condition}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"RoleName": "staging-worker", "AssumeRolePolicyDocument": document, "Tags": OWN if tags is None else tags}


@pytest.mark.parametrize("found", [None, role("eu-west-1"), role(["eu-west-1"]), role(None)])
def test_free_and_own_roles_are_fine(found: dict[str, Any] | None) -> None:
    assert names.judge_role(found, "staging", "eu-west-1") == []


@pytest.mark.parametrize("region", ["us-east-1", ["eusc-de-east-1"]])
def test_an_environment_of_another_region_has_the_role(region: str | list[str]) -> None:
    [finding] = names.judge_role(role(region), "staging", "eu-west-1")
    assert finding.check == "role_names"
    other = region if isinstance(region, str) else region[0]
    assert f"belongs to the environment staging of {other}," in finding.message
    assert "choose another sm2a_name for the environment in eu-west-1" in finding.message


@pytest.mark.parametrize("tags", [[], [{"Key": "sm2a:environment", "Value": "production"}]])
def test_a_role_of_somebody_else_is_named(tags: list[dict[str, str]]) -> None:
    [finding] = names.judge_role(role("eu-west-1", tags), "staging", "eu-west-1")
    assert "has no tag sm2a:environment=staging" in finding.message


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([("head_bucket", "404")], None),
        ([("head_bucket", "403")], "belongs to another account, or the credentials lack s3:ListBucket"),
        ([("head_bucket", {"BucketRegion": "us-east-1"})], "is in us-east-1, and bucket names are shared"),
        ([("head_bucket", {"BucketRegion": "eu-west-1"}), ("get_bucket_tagging", {"TagSet": OWN})], None),
        ([("head_bucket", {}), ("get_bucket_tagging", {"TagSet": OWN})], None),
        ([("head_bucket", {}), ("get_bucket_tagging", "NoSuchTagSet")], "has no tag sm2a:environment=staging"),
    ],
)
def test_buckets(aws_environment: None, answers: list[tuple[str, Any]], message: str | None) -> None:
    s3 = boto3.client("s3", region_name=support.REGION)
    with Stubber(s3) as stubber:
        for operation, answer in answers:
            if isinstance(answer, str):
                stubber.add_client_error(operation, answer, http_status_code=400)
            else:
                stubber.add_response(operation, answer)
        findings = names.bucket(s3, "staging-logs-123456789012", "staging", "eu-west-1")
        stubber.assert_no_pending_responses()
    assert [finding.check for finding in findings] == (["bucket_names"] if message else [])
    assert not message or message in findings[0].message


def test_a_bucket_that_nobody_can_look_at_is_not_judged(aws_environment: None) -> None:
    s3 = boto3.client("s3", region_name=support.REGION)
    with Stubber(s3) as stubber, pytest.raises(Exception, match="Failed to look up the bucket"):
        stubber.add_client_error("head_bucket", "InternalError", http_status_code=400)
        names.bucket(s3, "staging-logs-123456789012", "staging", "eu-west-1")
