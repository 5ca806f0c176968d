# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What S3 refuses and takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules import cases
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules.cases import Wrong

CREATE, LIFECYCLE, TAGGING = "CreateBucket", "PutBucketLifecycleConfiguration", "PutBucketTagging"
NAMES = (
    "ab",
    "Logs",
    "logs_1",
    "-logs",
    "a..b",
    "192.0.2.1",
    "xn--logs",
    "sthree-logs",
    "amzn-s3-demo-logs",
    "logs-s3alias",
    "logs--ol-s3",
    "logs.mrap",
    "logs--x-s3",
    "logs--table-s3",
    "l" * 64,
)


def lifecycle(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": list(rules)}}


def tagging(**tags: str) -> dict[str, Any]:
    return {"Tagging": {"TagSet": [{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()]}}


TWINS = {"Tagging": {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}}
WRONG = [
    *(Wrong(CREATE, {"Bucket": name}, "InvalidBucketName", "The specified bucket is not valid.") for name in NAMES),
    Wrong(LIFECYCLE, lifecycle({"ID": "i" * 256}), "InvalidArgument", "allowed limit of 255"),
    Wrong(LIFECYCLE, lifecycle({"ID": "i"}, {"ID": "i"}), "InvalidArgument", "Rule ID must be unique"),
    Wrong(LIFECYCLE, lifecycle(*[{}] * 1001), "InvalidArgument", "at most 1000 rules"),
    Wrong(LIFECYCLE, lifecycle({"Expiration": {"Days": "0"}}), "InvalidArgument", "'Days' for Expiration action"),
    Wrong(
        LIFECYCLE,
        lifecycle({"NoncurrentVersionExpiration": {"NoncurrentDays": "-1"}}),
        "InvalidArgument",
        "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
    ),
    Wrong(
        LIFECYCLE,
        lifecycle({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": "0"}}),
        "InvalidArgument",
        "'DaysAfterInitiation'",
    ),
    Wrong(
        LIFECYCLE,
        lifecycle({"Transitions": [{"Days": "29", "StorageClass": "STANDARD_IA"}]}),
        "InvalidArgument",
        "greater than or equal to 30 for storageClass 'STANDARD_IA'",
    ),
    Wrong(TAGGING, tagging(**{f"t{number}": "" for number in range(51)}), "BadRequest", "greater than 50"),
    Wrong(TAGGING, TWINS, "InvalidTag", "multiple Tags with the same key"),
    Wrong(TAGGING, tagging(aws_owner="x"), "InvalidTag", "System tags"),
    Wrong(TAGGING, tagging(**{"k" * 129: "v"}), "InvalidTag", "The TagKey you have provided is invalid"),
    Wrong(TAGGING, tagging(owner="a!"), "InvalidTag", "The TagValue you have provided is invalid"),
]
RIGHT = [
    *((CREATE, {"Bucket": name}) for name in ("abc", "l" * 63, "logs.example-1", "192.0.2.1a")),
    (LIFECYCLE, lifecycle({"ID": "a", "Expiration": {"Days": "1"}}, {"ID": "b"}, {}, {})),
    (LIFECYCLE, lifecycle({"Expiration": {"ExpiredObjectDeleteMarker": "true"}})),
    (LIFECYCLE, lifecycle({"Transitions": [{"Days": "0", "StorageClass": "GLACIER_IR"}]})),
    (LIFECYCLE, lifecycle({"Transitions": [{"Days": "30", "StorageClass": "STANDARD_IA"}]})),
    (TAGGING, tagging(sm2a_environment="prod", owner="Größe 10 m/s + 1@x=_.:-", empty="")),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_refused(wrong: Wrong) -> None:
    cases.assert_refused("s3", wrong)


@pytest.mark.parametrize(("operation", "parameters"), RIGHT)
def test_taken(operation: str, parameters: dict[str, Any]) -> None:
    assert cases.refusals("s3", operation, parameters) == []


def test_every_rule_refuses_something() -> None:
    assert cases.rules_without_a_case("s3", WRONG) == []
