# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Bodies of S3's calls as boto3 writes them, read back."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.serialize import create_serializer
from sm2a_local_aws.iam.request import routes, xml_payload

RULES = [
    {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": "0"}},
    {"ID": "b", "Status": "Enabled", "Filter": {"Prefix": "x"}, "Transitions": [{"Days": "1"}, {"Days": "2"}]},
]
CONFIGURATION = {"LifecycleConfiguration": {"Rules": RULES}}
TAGGING = {"Tagging": {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]}}


def shape_and_body(operation: str, parameters: dict[str, Any]) -> tuple[Any, bytes]:
    model = routes.model("s3").operation_model(operation)
    return model.input_shape, create_serializer("rest-xml", include_validation=False).serialize_to_request(
        parameters, model
    )["body"]


@pytest.mark.parametrize(
    ("operation", "parameters"), [("PutBucketLifecycleConfiguration", CONFIGURATION), ("PutBucketTagging", TAGGING)]
)
def test_the_parameters_come_back(operation: str, parameters: dict[str, Any]) -> None:
    shape, body = shape_and_body(operation, {"Bucket": "logs", **parameters})
    assert xml_payload.read(shape, body) == parameters


def test_a_call_without_a_body_says_nothing() -> None:
    shape, _body = shape_and_body("PutBucketTagging", {"Bucket": "logs", **TAGGING})
    assert xml_payload.read(shape, b"") == {}
    assert xml_payload.read(None, b"<a/>") == {}


def test_a_body_that_is_no_xml_is_an_error() -> None:
    shape, _body = shape_and_body("PutBucketTagging", {"Bucket": "logs", **TAGGING})
    with pytest.raises(ValueError, match="no XML"):
        xml_payload.read(shape, b"tags")
