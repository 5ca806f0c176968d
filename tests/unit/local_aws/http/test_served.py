# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Services of MiniStack that SM2A does not use: many of them run code or read files on this machine."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.http.test_request_filter import send
from botocore.exceptions import ClientError

ATTACKS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "lambda",
        "create_function",
        {
            "FunctionName": "f",
            "Role": "arn:aws:iam::000000000000:role/r",
            "Runtime": "python3.12",
            "Handler": "i.h",
            "Code": {"ZipFile": b"x"},
        },
    ),
    ("codebuild", "list_projects", {}),
    ("batch", "describe_compute_environments", {}),
    ("eks", "list_clusters", {}),
    ("glue", "get_databases", {}),
    (
        "athena",
        "start_query_execution",
        {"QueryString": "select * from read_text('/etc/passwd')", "ResultConfiguration": {"OutputLocation": "s3://b/"}},
    ),
    ("stepfunctions", "list_state_machines", {}),
    ("events", "list_rules", {}),
    ("scheduler", "list_schedules", {}),
    ("ssm", "describe_parameters", {}),
    ("cloudformation", "list_stacks", {}),
    ("elasticache", "describe_cache_clusters", {}),
    ("autoscaling", "describe_auto_scaling_groups", {}),
    ("transfer", "list_servers", {}),
    ("dynamodb", "list_tables", {}),
    ("kinesis", "list_streams", {}),
]
ENTRANCES = [
    ("POST", "/Execute", "127.0.0.1"),
    ("GET", "/iceberg/v1/config", "127.0.0.1"),
    ("GET", "/v2/email/identities", "127.0.0.1"),
    ("POST", "/2015-03-31/functions/f/invocations", "127.0.0.1"),
    ("GET", "/bucket/key", "0123456789abcdef0123456789abcdef.lambda-url.eu-west-1.127.0.0.1"),
    ("GET", "/stage/path", "01234567.execute-api.127.0.0.1"),
    ("GET", "/bucket/key", "label.cloudfront.127.0.0.1"),
    ("POST", "/graphql", "id.appsync-api.eu-west-1.127.0.0.1"),
    ("GET", "/oauth2/authorize", "127.0.0.1"),
]


@pytest.mark.parametrize(("service", "operation", "parameters"), ATTACKS, ids=[attack[0] for attack in ATTACKS])
def test_a_service_that_sm2a_does_not_use_is_refused(
    control_plane: Any, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as raised:
        getattr(control_plane.client(service), operation)(**parameters)
    error = raised.value.response["Error"]
    assert error["Code"] in {"UnknownOperationException", "InvalidAction"}
    assert "The local AWS does not serve" in error["Message"]


@pytest.mark.parametrize(("method", "path", "host"), ENTRANCES)
def test_entrances_beside_the_apis_are_closed(control_plane: Any, method: str, path: str, host: str) -> None:
    answer = send(control_plane.port, method, path, "{}" if method == "POST" else None, Host=host)
    said = answer.read()
    assert answer.status >= 400
    # What is left of it is S3, for which it is a bucket that is not there, or a service that is refused.
    assert any(word in said for word in (b"does not serve", b"<Error>"))


def test_settings_of_ministack_cannot_be_changed(control_plane: Any) -> None:
    asked = {"athena.ATHENA_DATA_DIR": "/", "lambda_svc.LAMBDA_EXECUTOR": "local"}
    answer = send(control_plane.port, "POST", "/_ministack/config", json.dumps(asked))
    assert json.loads(answer.read()) == {"applied": {}}


def test_load_balancer_does_not_forward_into_this_machine(control_plane: Any) -> None:
    elbv2 = control_plane.client("elbv2")
    for target_type, address in (
        ("ip", "127.0.0.1"),
        ("ip", "169.254.169.254"),
        ("ip", "not-an-address"),
        ("instance", "localhost"),
    ):
        group = elbv2.create_target_group(
            Name=f"loop-{target_type}-{len(address)}", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType=target_type
        )["TargetGroups"][0]["TargetGroupArn"]
        with pytest.raises(ClientError, match=r"allowed range|not valid"):
            elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": control_plane.port}])
    with pytest.raises(ClientError, match="not valid"):
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.1"}])


def test_sns_sends_nothing_to_this_machine(control_plane: Any) -> None:
    """A subscription of HTTP would let a task send a POST from this machine, to reset the account for example."""
    sqs, sns = control_plane.client("sqs"), control_plane.client("sns")
    queue = sqs.create_queue(QueueName="outlives")["QueueUrl"]
    topic = sns.create_topic(Name="outlives")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{control_plane.port}/_ministack/reset")
    sns.publish(TopicArn=topic, Message="x")
    assert sqs.list_queues(QueueNamePrefix="outlives")["QueueUrls"] == [queue]


def test_services_are_those_that_boto3_asks_for(control_plane: Any) -> None:
    """Each served service answers, so that the list has no wrong name."""
    calls = {
        "acm": "list_certificates",
        "cloudtrail": "lookup_events",
        "ec2": "describe_vpcs",
        "ecr": "describe_repositories",
        "ecs": "list_clusters",
        "elbv2": "describe_load_balancers",
        "iam": "list_roles",
        "kms": "list_keys",
        "logs": "describe_log_groups",
        "cloudwatch": "describe_alarms",
        "rds": "describe_db_instances",
        "route53": "list_hosted_zones",
        "s3": "list_buckets",
        "secretsmanager": "list_secrets",
        "servicediscovery": "list_namespaces",
        "sns": "list_topics",
        "sqs": "list_queues",
        "sts": "get_caller_identity",
    }
    for service, operation in calls.items():
        getattr(control_plane.client(service), operation)()
    control_plane.client("service-quotas").list_services()
    control_plane.client("wafv2").list_web_acls(Scope="REGIONAL")
