# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What modules are tested on takes no call that AWS refuses."""

from __future__ import annotations

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.support.emulators import aws_endpoint
from botocore.exceptions import ClientError

__all__ = ["aws_endpoint"]


def test_a_call_that_aws_refuses_is_refused(aws_endpoint: str) -> None:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
    sqs = boto3.client("sqs", endpoint_url=aws_endpoint, **keys)
    assert sqs.create_queue(QueueName="a-b")["QueueUrl"].endswith("/a-b")
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        sqs.create_queue(QueueName="a.b")
