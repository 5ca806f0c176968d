# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What SQS and SNS refuse of queues, topics and subscriptions. Their models have no limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sm2a_local_aws.limits.rules.checks import inside, named, text
from sm2a_local_aws.limits.rules.table import Parameters, Problem, Rule

SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/"
SNS = "https://docs.aws.amazon.com/sns/latest/api/"
QUEUE_NAME = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
# Attribute -> its least and greatest number.
NUMBERS: Mapping[str, tuple[int, int]] = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
OTHERS = (
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
)
RECEIVES = range(1, 1001)
SETTINGS = ("CreateQueue", "SetQueueAttributes")
EMAIL = r"[^@\s]+@[^@\s]+"


def _known(parameters: Parameters) -> str | None:
    unknown = (name for name in inside(parameters, "Attributes") if name not in (*NUMBERS, *OTHERS))
    return next((f"Unknown Attribute {name}." for name in unknown), None)


def _numbers(parameters: Parameters) -> str | None:
    for name, value in inside(parameters, "Attributes").items():
        least, most = NUMBERS.get(name, (0, 0))
        if most and not (str(value).isdigit() and least <= int(value) <= most):
            return f"Invalid value for the parameter {name}."
    return None


def _redrive(parameters: Parameters) -> str | None:
    """An empty text takes the policy away."""
    given = inside(parameters, "Attributes").get("RedrivePolicy")
    if not given:
        return None
    try:
        policy = json.loads(given)
    except (TypeError, ValueError):
        policy = None
    wrong = _redrive_problem(policy)
    return f"Value {given} for parameter RedrivePolicy is invalid. Reason: {wrong}" if wrong else None


def _redrive_problem(policy: Any) -> str | None:
    if not isinstance(policy, dict):
        return "Redrive policy is not a valid JSON map."
    if not policy.get("deadLetterTargetArn"):
        return "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
    count = str(policy.get("maxReceiveCount", ""))
    if count.isdigit() and int(count) in RECEIVES:
        return None
    return f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive."


def _endpoint(protocols: tuple[str, ...], allowed: str, sentence: str) -> Problem:
    checked = named("Endpoint", allowed, sentence)
    return lambda parameters: checked(parameters) if text(parameters, "Protocol") in protocols else None


QUEUES = (
    Rule(
        ("CreateQueue",),
        named("QueueName", r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo", QUEUE_NAME),
        "InvalidParameterValue",
        f"{SQS}API_CreateQueue.html",
    ),
    Rule(SETTINGS, _known, "InvalidAttributeName", f"{SQS}API_SetQueueAttributes.html"),
    Rule(SETTINGS, _numbers, "InvalidAttributeValue", f"{SQS}API_SetQueueAttributes.html"),
    Rule(SETTINGS, _redrive, "InvalidParameterValue", f"{SQS}API_SetQueueAttributes.html"),
)
TOPICS = (
    Rule(
        ("CreateTopic",),
        named("Name", r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo", "Invalid parameter: Topic Name"),
        "InvalidParameter",
        f"{SNS}API_CreateTopic.html",
    ),
    Rule(
        ("Subscribe",),
        _endpoint(("email", "email-json"), EMAIL, "Invalid parameter: Email address"),
        "InvalidParameter",
        f"{SNS}API_Subscribe.html",
    ),
    Rule(
        ("Subscribe",),
        _endpoint(("sqs",), r"arn:aws[a-z-]*:sqs:.+", "Invalid parameter: SQS endpoint ARN"),
        "InvalidParameter",
        f"{SNS}API_Subscribe.html",
    ),
)
