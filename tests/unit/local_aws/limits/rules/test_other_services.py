# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the services with few rules of their own refuse and take."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules import cases
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules.cases import Wrong
from sm2a_local_aws.limits import rules

DEAD_LETTERS = "arn:aws:sqs:eu-west-1:000000000000:dead"
EMAIL = {"Protocol": "email", "Endpoint": "ops@example.com"}
POLICY = json.dumps({"Statement": ["x" * 10_240]})


def vpc(**members: list[str]) -> dict[str, Any]:
    return {"networkConfiguration": {"awsvpcConfiguration": members}}


def attributes(**given: str) -> dict[str, Any]:
    return {"Attributes": given}


def redrive(**members: Any) -> dict[str, Any]:
    return attributes(RedrivePolicy=json.dumps(members))


def rebalanced(most: int) -> dict[str, Any]:
    return {"availabilityZoneRebalancing": "ENABLED", "deploymentConfiguration": {"maximumPercent": most}}


VALIDATION, PARAMETER = "ValidationError", "InvalidParameterException"
WRONG = {
    "acm": [
        Wrong(
            "RequestCertificate",
            {"DomainName": "d" * 53 + ".example.com"},
            "InvalidDomainValidationOptionsException",
            "no longer than 64 characters",
        )
    ],
    "cloudwatch": [
        Wrong("PutMetricAlarm", {"Period": "90"}, VALIDATION, "multiple of 60"),
        Wrong("PutMetricAlarm", {"Metrics": [{"MetricStat": {"Period": "45"}}]}, VALIDATION, "multiple of 60"),
        Wrong("PutMetricAlarm", {"Period": "60", "EvaluationPeriods": "1441"}, VALIDATION, "more than a day"),
        Wrong("PutMetricAlarm", {"Period": "3600", "EvaluationPeriods": "169"}, VALIDATION, "more than a week"),
        Wrong("PutMetricAlarm", {"DatapointsToAlarm": "3", "EvaluationPeriods": "2"}, VALIDATION, "DatapointsToAlarm"),
    ],
    "ecs": [
        Wrong("CreateCluster", {"clusterName": "a b"}, PARAMETER, "clusterName 'a b'"),
        Wrong("CreateService", {"serviceName": "a.b"}, PARAMETER, "serviceName 'a.b'"),
        Wrong("UpdateService", {"desiredCount": -1}, PARAMETER, "0 to 5000"),
        Wrong("CreateService", rebalanced(100), PARAMETER, "does not support maximumPercent <= 100 %"),
        Wrong("CreateService", vpc(subnets=["s"] * 17), PARAMETER, "subnets can have at most 16 items."),
        Wrong("UpdateService", vpc(securityGroups=["s"] * 6), PARAMETER, "securityGroup can have at most 5 items."),
    ],
    "iam": [
        Wrong("PutRolePolicy", {"RoleName": "r", "PolicyDocument": POLICY}, "LimitExceeded", "exceeded for role r"),
        Wrong("CreateRole", {"AssumeRolePolicyDocument": POLICY}, "LimitExceeded", "ACLSizePerRole: 2048"),
        Wrong("UpdateAssumeRolePolicy", {"PolicyDocument": POLICY}, "LimitExceeded", "ACLSizePerRole: 2048"),
        Wrong("TagRole", {"Tags": [{"Key": "a"}, {"Key": "A"}]}, "InvalidInput", "Duplicate tag keys found"),
    ],
    "kms": [
        Wrong("CreateAlias", {"AliasName": "sm2a"}, "InvalidAliasNameException", 'prefix "alias/"'),
        Wrong("CreateAlias", {"AliasName": "alias/aws/rds"}, "NotAuthorizedException", "reserved"),
        Wrong("ScheduleKeyDeletion", {"PendingWindowInDays": 6}, "ValidationException", "between 7 and 30"),
    ],
    "logs": [Wrong("PutRetentionPolicy", {"retentionInDays": 31}, PARAMETER, "enum value set: [1, 3, 5, 7, 14, 30,")],
    "secretsmanager": [
        Wrong("CreateSecret", {"Name": "a b"}, "ValidationException", "Invalid name."),
        Wrong("DeleteSecret", {"RecoveryWindowInDays": 31}, PARAMETER, "between 7 and 30 days"),
        Wrong(
            "DeleteSecret",
            {"RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True},
            PARAMETER,
            "in conjunction with RecoveryWindowInDays",
        ),
    ],
    "sns": [
        Wrong("CreateTopic", {"Name": "a.b"}, "InvalidParameter", "Topic Name"),
        Wrong("Subscribe", {**EMAIL, "Endpoint": "ops"}, "InvalidParameter", "Email address"),
        Wrong("Subscribe", {"Protocol": "sqs", "Endpoint": "q"}, "InvalidParameter", "SQS endpoint ARN"),
    ],
    "sqs": [
        Wrong("CreateQueue", {"QueueName": "gpu.large"}, "InvalidParameterValue", "1 to 80 in length"),
        Wrong("CreateQueue", attributes(Retention="1"), "InvalidAttributeName", "Unknown Attribute Retention."),
        Wrong(
            "SetQueueAttributes", attributes(VisibilityTimeout="43201"), "InvalidAttributeValue", "VisibilityTimeout"
        ),
        Wrong("CreateQueue", attributes(MessageRetentionPeriod="59"), "InvalidAttributeValue", "MessageRetention"),
        Wrong("CreateQueue", attributes(RedrivePolicy="no"), "InvalidParameterValue", "not a valid JSON map"),
        Wrong("CreateQueue", redrive(maxReceiveCount=1), "InvalidParameterValue", "deadLetterTargetArn"),
        Wrong(
            "CreateQueue",
            redrive(maxReceiveCount=0, deadLetterTargetArn=DEAD_LETTERS),
            "InvalidParameterValue",
            "from 1 to 1000",
        ),
    ],
}
RIGHT: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "acm": [("RequestCertificate", {"DomainName": "d" * 52 + ".example.com"})],
    "cloudwatch": [
        ("PutMetricAlarm", {"Period": "60", "EvaluationPeriods": "1440", "DatapointsToAlarm": "1440"}),
        ("PutMetricAlarm", {"Metrics": [{"MetricStat": {"Period": "3600"}}], "EvaluationPeriods": "168"}),
    ],
    "ecs": [
        ("CreateService", {"serviceName": "a-b_1", "desiredCount": 0, **rebalanced(200), **vpc(subnets=["s"] * 16)}),
        ("CreateService", {"deploymentConfiguration": {"maximumPercent": 100}, **vpc(securityGroups=["s"] * 5)}),
    ],
    "iam": [
        ("PutRolePolicy", {"PolicyDocument": " " * 20_000 + "x" * 10_240}),
        ("CreateRole", {"AssumeRolePolicyDocument": "x" * 2048, "Tags": [{"Key": "a"}, {"Key": "b"}]}),
    ],
    "kms": [("CreateAlias", {"AliasName": "alias/sm2a"}), ("ScheduleKeyDeletion", {"PendingWindowInDays": 30})],
    "logs": [("PutRetentionPolicy", {"retentionInDays": 3653})],
    "secretsmanager": [
        ("CreateSecret", {"Name": "prod/airflow/a_b+c=d.e@f-1"}),
        ("DeleteSecret", {"ForceDeleteWithoutRecovery": True}),
    ],
    "sns": [("CreateTopic", {"Name": "prod-alarms"}), ("Subscribe", EMAIL)],
    "sqs": [
        ("CreateQueue", {"QueueName": "q" * 80, **attributes(VisibilityTimeout="0", SqsManagedSseEnabled="true")}),
        ("SetQueueAttributes", redrive(maxReceiveCount="1000", deadLetterTargetArn=DEAD_LETTERS)),
        ("SetQueueAttributes", attributes(RedrivePolicy="", Policy="")),
    ],
}
REFUSED = [(service, wrong) for service, calls in WRONG.items() for wrong in calls]
TAKEN = [(service, operation, given) for service, calls in RIGHT.items() for operation, given in calls]
WITH_TESTS_OF_THEIR_OWN = {"ec2", "elbv2", "rds", "s3"}


@pytest.mark.parametrize(("service", "wrong"), REFUSED)
def test_refused(service: str, wrong: Wrong) -> None:
    cases.assert_refused(service, wrong)


@pytest.mark.parametrize(("service", "operation", "parameters"), TAKEN)
def test_taken(service: str, operation: str, parameters: dict[str, Any]) -> None:
    assert cases.refusals(service, operation, parameters) == []


@pytest.mark.parametrize("service", sorted(rules.RULES.keys() - WITH_TESTS_OF_THEIR_OWN))
def test_every_rule_refuses_something(service: str) -> None:
    assert cases.rules_without_a_case(service, WRONG[service]) == []
