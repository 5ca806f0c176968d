# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of policies, with the examples of AWS's documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sm2a_local_aws.iam.policy import documents as policies
from sm2a_local_aws.iam.policy.documents import PolicyError
from sm2a_local_aws.iam.policy.evaluation import Decision, Policies, Request, Verdict, evaluate
from sm2a_local_aws.iam.policy.principals import Principal

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/task-1"
ALLOWED, EXPLICIT, IMPLICIT = Verdict.ALLOWED, Verdict.EXPLICIT_DENY, Verdict.IMPLICIT_DENY
TAGS = {"aws:PrincipalTag/team": "data", "aws:PrincipalTag/star": "*"}
CALLER = Principal(SESSION, ACCOUNT, ROLE, {key.lower(): value for key, value in TAGS.items()})
BUCKET = "arn:aws:s3:::bucket"


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> policies.Document:
    return policies.parse({"Version": version, "Statement": list(statements)})


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def decide(action: str, arn: str, context: Any = None, /, **asked: Any) -> Decision:
    return evaluate(CALLER, Request.of(action, arn, context or {}), Policies(**asked))


def verdict(condition: dict[str, Any], context: Any, version: str = "2012-10-17") -> bool:
    identity = [document(allow(Condition=condition), version=version)]
    return decide("s3:GetObject", f"{BUCKET}/a", context, identity=identity).allowed


@pytest.mark.parametrize(
    ("statement", "action", "resource", "expected"),
    [
        (allow("s3:GetObject", f"{BUCKET}/*"), "s3:GetObject", f"{BUCKET}/a/b", ALLOWED),
        (allow("S3:getobject", f"{BUCKET}/*"), "s3:GetObject", f"{BUCKET}/a", ALLOWED),
        (allow("s3:Get*", f"{BUCKET}/?"), "s3:GetObject", f"{BUCKET}/a", ALLOWED),
        (allow("s3:Get*", f"{BUCKET}/?"), "s3:GetObject", f"{BUCKET}/ab", IMPLICIT),
        (allow("s3:GetObject", f"{BUCKET}/A"), "s3:GetObject", f"{BUCKET}/a", IMPLICIT),
        (allow("s3:GetObject", BUCKET), "s3:GetObject", f"{BUCKET}/a", IMPLICIT),
        (allow("s3:*", "arn:aws:s3:::bucket.a"), "s3:ListBucket", "arn:aws:s3:::bucket-a", IMPLICIT),
        (deny("s3:GetObject", f"{BUCKET}/*"), "s3:GetObject", f"{BUCKET}/a", EXPLICIT),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "s3:GetObject", f"{BUCKET}/a", ALLOWED),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "iam:CreateRole", ROLE, IMPLICIT),
        ({"Effect": "Allow", "Action": "*", "NotResource": f"{BUCKET}/*"}, "s3:GetObject", f"{BUCKET}/a", IMPLICIT),
        ({"Effect": "Allow", "Action": "*", "NotResource": f"{BUCKET}/*"}, "s3:GetObject", "arn:aws:s3:::b/a", ALLOWED),
        (allow("s3:*", BUCKET + "/${aws:PrincipalTag/team}/*"), "s3:GetObject", f"{BUCKET}/data/a", ALLOWED),
        (allow("s3:*", BUCKET + "/${aws:PrincipalTag/team}/*"), "s3:GetObject", f"{BUCKET}/web/a", IMPLICIT),
        (allow("s3:*", BUCKET + "/${aws:PrincipalTag/none}/*"), "s3:GetObject", f"{BUCKET}//a", IMPLICIT),
        (allow("s3:*", BUCKET + "/${aws:PrincipalTag/none, 'all'}/*"), "s3:GetObject", f"{BUCKET}/all/a", ALLOWED),
        # What a variable stands for is text, and ${*} is a star.
        (allow("s3:*", BUCKET + "/${aws:PrincipalTag/star}"), "s3:GetObject", f"{BUCKET}/a", IMPLICIT),
        (allow("s3:*", BUCKET + "/${*}"), "s3:GetObject", f"{BUCKET}/*", ALLOWED),
        (allow("s3:*", BUCKET + "/${*}"), "s3:GetObject", f"{BUCKET}/a", IMPLICIT),
    ],
)
def test_statements(statement: dict[str, Any], action: str, resource: str, expected: Verdict) -> None:
    assert decide(action, resource, identity=[document(statement)]).verdict is expected


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"aws:ResourceTag/team": "data"}}, {"AWS:resourcetag/TEAM": "data"}, True),
        ({"StringEquals": {"aws:ResourceTag/team": "data"}}, {"aws:ResourceTag/team": "Data"}, False),
        ({"StringEquals": {"aws:ResourceTag/team": "data"}}, {}, False),
        ({"StringEquals": {"aws:ResourceTag/team": ["web", "data"]}}, {"aws:ResourceTag/team": "data"}, True),
        # Two keys, and two operators, must both hold.
        ({"StringEquals": {"a:b": "1", "a:c": "2"}}, {"a:b": "1"}, False),
        ({"StringEquals": {"a:b": "1"}, "Bool": {"a:c": "true"}}, {"a:b": "1", "a:c": "false"}, False),
        # reference_policies_elements_condition_operators.html#Conditions_IfExists: an absent key is true.
        ({"StringEqualsIfExists": {"aws:ResourceTag/team": "data"}}, {}, True),
        ({"StringEqualsIfExists": {"aws:ResourceTag/team": "data"}}, {"aws:ResourceTag/team": "web"}, False),
        ({"StringNotEquals": {"a:b": "1"}}, {}, True),
        ({"StringNotEquals": {"a:b": ["1", "2"]}}, {"a:b": "2"}, False),
        ({"StringNotEquals": {"a:b": ["1", "2"]}}, {"a:b": "3"}, True),
        ({"StringEqualsIgnoreCase": {"a:b": "Data"}}, {"a:b": "dATA"}, True),
        ({"StringLike": {"s3:prefix": ["home/*", "x?"]}}, {"s3:prefix": "home/a/b"}, True),
        ({"StringLike": {"s3:prefix": ["home/*", "x?"]}}, {"s3:prefix": "homes"}, False),
        ({"StringNotLike": {"s3:prefix": "home/*"}}, {"s3:prefix": "home/a"}, False),
        ({"StringEquals": {"a:b": "${aws:PrincipalTag/team}"}}, {"a:b": "data"}, True),
        ({"StringLike": {"a:b": "${aws:PrincipalTag/star}"}}, {"a:b": "x"}, False),
        ({"StringEquals": {"a:b": "${aws:PrincipalTag/none}"}}, {"a:b": ""}, False),
        # reference_policies_condition-single-vs-multi-valued-context-keys.html
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["a"]}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["a", "c"]}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["c", "b"]}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["c"]}, False),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {}, False),
        ({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["a"]}}, {"aws:TagKeys": ["b", "a"]}, False),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}, {"aws:TagKeys": ["b", "a"]}, True),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}, {}, False),
        ({"Null": {"aws:ResourceTag/team": "true"}}, {}, True),
        ({"Null": {"aws:ResourceTag/team": "true"}}, {"aws:ResourceTag/team": ""}, False),
        ({"Null": {"aws:ResourceTag/team": False}}, {"aws:ResourceTag/team": "data"}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, {"aws:SecureTransport": "true"}, True),
        ({"Bool": {"aws:SecureTransport": True}}, {"aws:SecureTransport": "false"}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, {}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, {}, True),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, True),
        ({"NumericLessThan": {"s3:max-keys": 10}}, {"s3:max-keys": "10"}, False),
        ({"NumericNotEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10.0"}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, {"aws:CurrentTime": "2026-02-01"}, True),
        ({"DateLessThan": {"aws:EpochTime": "1000000"}}, {"aws:EpochTime": "1000001"}, False),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.9"}, True),
        ({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, {"aws:SourceIp": "203.0.113.9"}, False),
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.9"}, False),
        (
            {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:*:1:cluster/a*"}},
            {"ecs:cluster": "arn:aws:ecs:eu:1:cluster/ab"},
            True,
        ),
        # Each part of an ARN is matched for itself: the star does not reach over a colon.
        ({"ArnLike": {"a:b": "arn:aws:*:1:cluster/a"}}, {"a:b": "arn:aws:ecs:eu:1:cluster/a"}, False),
        ({"ArnNotLike": {"a:b": "arn:aws:ecs:eu:1:cluster/*"}}, {"a:b": "arn:aws:ecs:eu:1:cluster/a"}, False),
    ],
)
def test_conditions(condition: dict[str, Any], context: dict[str, Any], expected: bool) -> None:
    assert verdict(condition, context) is expected


def test_variables_are_text_in_the_old_version() -> None:
    condition = {"StringEquals": {"a:b": "${aws:PrincipalTag/team}"}}
    assert not verdict(condition, {"a:b": "data"}, version="2008-10-17")
    assert verdict(condition, {"a:b": "${aws:PrincipalTag/team}"}, version="2008-10-17")


KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
LEFT_TO_IAM = document(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
NAMES_ROLE = document(allow(Principal={"AWS": ROLE}))
NAMES_SESSION = document(allow(Principal={"AWS": SESSION}))
NAMES_OTHER = document(allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}))
ANYTHING = document(allow())
NOTHING: policies.Document = ()


@pytest.mark.parametrize(
    ("action", "asked", "expected", "reason"),
    [
        ("s3:GetObject", {}, IMPLICIT, "because no identity-based policy allows the s3:GetObject action"),
        (
            "s3:GetObject",
            {"identity": [ANYTHING, document(deny("s3:*"))]},
            EXPLICIT,
            "with an explicit deny in an identity-based policy",
        ),
        (
            "s3:GetObject",
            {"identity": [ANYTHING], "boundary": document(allow("sqs:*"))},
            IMPLICIT,
            "because no permissions boundary allows the s3:GetObject action",
        ),
        ("s3:GetObject", {"boundary": ANYTHING}, IMPLICIT, "because no identity-based policy allows"),
        ("s3:GetObject", {"identity": [ANYTHING], "boundary": ANYTHING}, ALLOWED, ""),
        ("s3:GetObject", {"identity": [ANYTHING], "session": []}, IMPLICIT, "because no session policy allows"),
        ("s3:GetObject", {"identity": [ANYTHING], "session": [document(deny())]}, EXPLICIT, "in a session policy"),
        ("s3:GetObject", {"identity": [ANYTHING], "boundary": document(deny())}, EXPLICIT, "in a permissions boundary"),
        # A resource policy in the same account is enough, and a limit of the role holds back what names the role.
        ("s3:GetObject", {"resource": NAMES_ROLE}, ALLOWED, ""),
        ("s3:GetObject", {"resource": NAMES_OTHER}, IMPLICIT, ""),
        ("s3:GetObject", {"resource": NAMES_ROLE, "boundary": NOTHING}, IMPLICIT, "no permissions boundary"),
        ("s3:GetObject", {"resource": NAMES_SESSION, "boundary": NOTHING, "session": []}, ALLOWED, ""),
        ("s3:GetObject", {"resource": document(allow(Principal="*"))}, ALLOWED, ""),
        ("s3:GetObject", {"resource": document(allow(Principal={"AWS": ACCOUNT}))}, IMPLICIT, ""),
        ("s3:GetObject", {"resource": document(allow(Principal={"Service": "s3.amazonaws.com"}))}, IMPLICIT, ""),
        (
            "s3:GetObject",
            {"identity": [ANYTHING], "resource": document(deny(Principal="*"))},
            EXPLICIT,
            "with an explicit deny in a resource-based policy",
        ),
        ("s3:GetObject", {"identity": [ANYTHING], "resource": document(deny(NotPrincipal={"AWS": ROLE}))}, ALLOWED, ""),
        ("s3:GetObject", {"identity": [ANYTHING], "resource": NAMES_OTHER}, ALLOWED, ""),
        # A key policy must speak first; "kms leaves it to IAM" where it names the account.
        ("kms:Decrypt", {"identity": [ANYTHING], "resource": LEFT_TO_IAM}, ALLOWED, ""),
        ("kms:Decrypt", {"resource": LEFT_TO_IAM}, IMPLICIT, "no identity-based policy"),
        ("kms:Decrypt", {"identity": [ANYTHING], "resource": NAMES_OTHER}, IMPLICIT, "no resource-based policy"),
        ("kms:Decrypt", {"resource": NAMES_ROLE}, ALLOWED, ""),
        ("sts:AssumeRole", {"identity": [ANYTHING], "resource": NOTHING}, IMPLICIT, "no resource-based policy"),
        ("s3:GetObject", {"identity": [ANYTHING], "endpoint": NAMES_OTHER}, IMPLICIT, "no VPC endpoint policy"),
        ("s3:GetObject", {"identity": [ANYTHING], "endpoint": document(allow(Principal="*"))}, ALLOWED, ""),
    ],
)
def test_kinds_of_policies(action: str, asked: dict[str, Any], expected: Verdict, reason: str) -> None:
    decision = decide(action, KEY if action.startswith("kms") else f"{BUCKET}/a", **asked)
    assert decision.verdict is expected
    assert reason in decision.reason


@pytest.mark.parametrize(
    "source",
    [
        "{",
        "[]",
        json.dumps({"Statement": [{"Effect": "Maybe", "Action": "*", "Resource": "*"}]}),
        json.dumps({"Statement": [{"Effect": "Allow", "Resource": "*"}]}),
        json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}]}),
        json.dumps({"Statement": [allow(Condition={"StringAlmost": {"a:b": "c"}})]}),
    ],
)
def test_a_document_that_iam_would_not_take(source: str) -> None:
    with pytest.raises(PolicyError):
        policies.parse(source)
