# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Calls whose parameters AWS refuses are refused by the local AWS, in every protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Clients = Callable[[str], Any]
TARGETS = {"Protocol": "HTTP", "Port": 8080, "TargetType": "ip", "VpcId": "vpc-1"}
LONG = "x" * 65_537
LISTENER = {"LoadBalancerArn": "a", "Protocol": "HTTPS", "Port": 443, "DefaultActions": [{"Type": "forward"}]}
NO_DAYS = {"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 0}}]}
UNREADABLE = {"Rules": [{"Status": "On", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]}
TAGS = {"TagSet": [{"Key": "owner", "Value": "a!b"}]}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "refusal"),
    [
        ("elbv2", "create_load_balancer", {"Name": "internal-a", "Subnets": ["a", "b"]}, "ValidationError"),
        ("elbv2", "create_load_balancer", {"Name": "prod-", "Subnets": ["a", "b"]}, "ValidationError"),
        ("elbv2", "create_target_group", {"Name": "x" * 33, **TARGETS}, "ValidationError"),
        ("rds", "create_db_subnet_group", {"DBSubnetGroupName": "default"}, "InvalidParameterValue"),
        ("sqs", "create_queue", {"QueueName": "gpu.large"}, "InvalidParameterValue"),
        ("sqs", "create_queue", {"QueueName": "x" * 81}, "InvalidParameterValue"),
        ("ecs", "create_cluster", {"clusterName": "a b"}, "InvalidParameterException"),
        ("ec2", "create_security_group", {"GroupName": "sg-web", "Description": "a"}, "InvalidParameterValue"),
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range"),
        ("elbv2", "create_listener", LISTENER, "A certificate must be specified for HTTPS listeners"),
        ("rds", "delete_db_instance", {"DBInstanceIdentifier": "a"}, "InvalidParameterCombination"),
        ("secretsmanager", "delete_secret", {"SecretId": "a", "RecoveryWindowInDays": 3}, "InvalidParameterException"),
        ("s3", "create_bucket", {"Bucket": "xn--logs"}, "InvalidBucketName"),
        (
            "s3",
            "put_bucket_lifecycle_configuration",
            {"Bucket": "logs", "LifecycleConfiguration": NO_DAYS},
            "InvalidArgument.*'Days' for Expiration action must be a positive integer",
        ),
        (
            "s3",
            "put_bucket_lifecycle_configuration",
            {"Bucket": "logs", "LifecycleConfiguration": UNREADABLE},
            "MalformedXML",
        ),
        ("s3", "put_bucket_tagging", {"Bucket": "logs", "Tagging": TAGS}, "InvalidTag"),
        ("secretsmanager", "create_secret", {"Name": "big", "SecretString": LONG}, "less than or equal to 65536"),
        ("iam", "create_role", {"RoleName": "x" * 65, "AssumeRolePolicyDocument": "{}"}, "less than or equal to 64"),
        ("sqs", "create_queue", {"QueueName": "q", "tags": {"aws:owner": "x"}}, "reserved for system use"),
        ("sqs", "create_queue", {"QueueName": "q", "tags": {"owner": "a!b"}}, "characters other than letters"),
        ("sqs", "create_queue", {"QueueName": "q", "tags": {f"t{n}": "" for n in range(51)}}, "at most 50 tags"),
        ("sns", "create_topic", {"Name": "t", "Tags": [{"Key": "k", "Value": "v" * 257}]}, "at most 256 characters"),
        (
            "ecs",
            "create_cluster",
            {"clusterName": "c", "tags": [{"key": "k" * 129}]},
            "1 to 128 characters",
        ),
    ],
)
def test_refused(control_plane: Any, service: str, operation: str, parameters: dict[str, Any], refusal: str) -> None:
    if operation == "create_db_subnet_group":
        parameters = {**parameters, "DBSubnetGroupDescription": "a", "SubnetIds": ["a"]}
    with pytest.raises(ClientError, match=refusal):
        getattr(control_plane.client(service), operation)(**parameters)


def test_a_refused_secret_is_not_repeated(control_plane: Any) -> None:
    with pytest.raises(ClientError) as refused:
        control_plane.client("secretsmanager").create_secret(Name="big", SecretString="Tr0ub4dor" * 10_000)
    assert "Tr0ub4dor" not in str(refused.value)


def test_what_aws_takes_is_taken(control_plane: Any) -> None:
    sqs = control_plane.client("sqs")
    url = sqs.create_queue(QueueName="a_b-C1", tags={"Größe": "10 m/s + 1@x=_.:-", "empty": ""})["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"]["Größe"] == "10 m/s + 1@x=_.:-"
    control_plane.client("s3").create_bucket(
        Bucket="logs.example-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    secrets = control_plane.client("secretsmanager")
    secrets.create_secret(Name="limits/full", SecretString=LONG[1:])
    assert len(secrets.get_secret_value(SecretId="limits/full")["SecretString"]) == 65_536
