# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Each call that comes by is written down with what AWS says of it, and then made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.second_opinion.judged_calls import judging_application, read
from botocore import xform_name
from botocore.exceptions import ClientError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

Clients = Callable[[str], Any]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calls") / "judged.jsonl"


@pytest.fixture(scope="module")
def client(results: Path) -> Iterator[Clients]:
    """Clients of moto, whose calls are judged on the way."""
    application = judging_application(DomainDispatcherApplication(create_backend_app), results)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
    yield lambda service: boto3.client(service, endpoint_url=f"http://127.0.0.1:{server.server_port}", **keys)
    server.shutdown()


@pytest.fixture
def empty(results: Path) -> None:
    results.write_text("", encoding="utf-8")


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    ("call", "parameters", "code"),
    [
        ("ec2:CreateVpc", {"CidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range"),
        ("ec2:DescribeVpcs", {"MaxResults": 1001}, "InvalidParameterValue"),
        ("ecs:CreateCluster", {"clusterName": "a b"}, "InvalidParameterException"),
        ("sqs:CreateQueue", {"QueueName": "a.b"}, "InvalidParameterValue"),
        ("cloudwatch:DeleteAlarms", {"AlarmNames": ["x"] * 101}, "ValidationError"),
        ("iam:ListRoles", {"MaxItems": 1001}, "ValidationError"),
        ("s3:CreateBucket", {"Bucket": "xn--logs"}, "InvalidBucketName"),
        ("route53:GetHostedZone", {"Id": "Z" * 40}, "ValidationError"),
    ],
)
def test_a_call_that_aws_refuses_is_told(
    client: Clients, results: Path, call: str, parameters: dict[str, Any], code: str
) -> None:
    service, operation = call.split(":")
    with suppress(ClientError):
        getattr(client(service), xform_name(operation))(**parameters)
    (told,) = read(results).refused
    assert told.startswith(f"{call}: {code}: ")


@pytest.mark.usefixtures("empty")
def test_a_call_that_aws_takes_is_made_and_counted(client: Clients, results: Path) -> None:
    location = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    client("s3").create_bucket(Bucket="logs", **location)
    client("s3").put_object(Bucket="logs", Key="a/b", Body=b"of an object")
    assert client("s3").get_object(Bucket="logs", Key="a/b")["Body"].read() == b"of an object"
    client("sqs").create_queue(QueueName="a-b")
    client("sqs").create_queue(QueueName="a-b")
    judged = read(results)
    assert judged.refused == []
    assert judged.counts == {"s3:CreateBucket": 1, "s3:PutObject": 1, "s3:GetObject": 1, "sqs:CreateQueue": 2}


@pytest.mark.usefixtures("empty")
def test_no_value_is_written_down(client: Clients, results: Path) -> None:
    client("secretsmanager").create_secret(Name="a", SecretString="Tr0ub4dor")
    assert "Tr0ub4dor" not in results.read_text(encoding="utf-8")
