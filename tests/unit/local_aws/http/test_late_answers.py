# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What was just made is not known at once, on demand, in the words and the protocol of each service."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.support import late_answers
from ansible_collections.sm2a.airflow.tests.support.emulators import local_aws
from botocore.exceptions import ClientError

Clients = Callable[[str], Any]
CALLS, SECONDS = 2, 60
PLACE = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
TRUST = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("late")
    with local_aws(directory, *late_answers.flags(directory, CALLS, SECONDS)) as url:
        yield url


@pytest.fixture
def aws(endpoint: str) -> Clients:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return lambda service: boto3.client(service, region_name="eu-west-1", endpoint_url=endpoint, **keys)


def insist(call: Callable[[], Any]) -> None:
    """S3 and CloudWatch Logs may be busy with the creation, too."""
    for _time in range(CALLS):
        try:
            call()
        except ClientError as error:
            assert "OperationAborted" in error.response["Error"]["Code"]
        else:
            return
    call()


def role(aws: Clients) -> Callable[[], Any]:
    iam = aws("iam")
    iam.create_role(RoleName="late", AssumeRolePolicyDocument=TRUST)
    return lambda: iam.update_role(RoleName="late", Description="A role")


def vpc(aws: Clients) -> Callable[[], Any]:
    ec2 = aws("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return lambda: ec2.describe_vpcs(VpcIds=[vpc_id])


def bucket(aws: Clients) -> Callable[[], Any]:
    s3 = aws("s3")
    s3.create_bucket(Bucket="late-bucket", **PLACE)
    return lambda: s3.get_bucket_versioning(Bucket="late-bucket")


def head(aws: Clients) -> Callable[[], Any]:
    s3 = aws("s3")
    insist(lambda: s3.create_bucket(Bucket="late-head", **PLACE))
    return lambda: s3.head_bucket(Bucket="late-head")


def queue(aws: Clients) -> Callable[[], Any]:
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="late")["QueueUrl"]
    return lambda: sqs.get_queue_attributes(QueueUrl=url)


def group(aws: Clients) -> Callable[[], Any]:
    logs = aws("logs")
    logs.create_log_group(logGroupName="/late")
    return lambda: logs.put_retention_policy(logGroupName="/late", retentionInDays=1)


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (role, "NoSuchEntity", "role with name"),
        (vpc, "InvalidVpcID.NotFound", "vpc-"),
        (bucket, "NoSuchBucket", "late-bucket"),
        (head, "404", ""),
        (queue, "AWS.SimpleQueueService.NonExistentQueue", "late"),
        (group, "ResourceNotFoundException", "log group"),
    ],
)
def test_calls_are_told_that_there_is_no_such_thing(
    aws: Clients, make: Callable[[Clients], Callable[[], Any]], code: str, words: str
) -> None:
    call = make(aws)
    for _time in range(CALLS):
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] == code
        assert words in error.value.response["Error"]["Message"]
    insist(call)


def test_ecs_lists_it_as_a_failure(aws: Clients) -> None:
    ecs = aws("ecs")
    arn = ecs.create_cluster(clusterName="late")["cluster"]["clusterArn"]
    for _time in range(CALLS):
        answer = ecs.describe_clusters(clusters=["late"])
        assert (answer["clusters"], answer["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])
    assert [cluster["clusterArn"] for cluster in ecs.describe_clusters(clusters=["late"])["clusters"]] == [arn]


def test_what_was_there_before_is_known(aws: Clients) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        aws("iam").get_role(RoleName="never")
    vpc_id = aws("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    assert aws("ec2").describe_vpcs(VpcIds=[vpc_id])["Vpcs"]


def test_a_filter_is_no_name(aws: Clients) -> None:
    vpc_id = aws("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    assert aws("ec2").describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["Vpcs"]


def test_an_emptied_account_forgets(aws: Clients, endpoint: str) -> None:
    aws("sns").create_topic(Name="late")
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=30)
    connection.request("POST", "/_ministack/reset")
    assert connection.getresponse().status == 200
    topic = "arn:aws:sns:eu-west-1:000000000000:late"
    with pytest.raises(ClientError, match="NotFound"):
        aws("sns").get_topic_attributes(TopicArn=topic)
    with pytest.raises(ClientError, match="does not exist"):
        aws("sns").get_topic_attributes(TopicArn=topic)


def test_nothing_is_late_unasked(local_aws_endpoint: str) -> None:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    iam = boto3.client("iam", region_name="eu-west-1", endpoint_url=local_aws_endpoint, **keys)
    iam.create_role(RoleName="prompt", AssumeRolePolicyDocument=TRUST)
    assert iam.get_role(RoleName="prompt")


@pytest.fixture(scope="module")
def local_aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A local AWS as it is by itself."""
    with local_aws(tmp_path_factory.mktemp("prompt")) as url:
        yield url
