# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Bulk reads of ECS services and SQS queues with bounded waits, and the factory of all AWS clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sm2a_autoscaler.decision.model import MessageCounts

Value = TypeVar("Value")

AWS_ERRORS = (ClientError, BotoCoreError)
THROTTLING_CODES = frozenset(
    {"Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded"}
)
DESCRIBE_SERVICES_LIMIT = 10  # services in one DescribeServices call


@dataclass(frozen=True, kw_only=True)
class ServiceCounts:
    """Counts of one ECS service. ``replaced`` are the ids of earlier deployments that still have tasks."""

    desired: int
    running: int
    pending: int
    replaced: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Read(Generic[Value]):
    """Values by name, and an error message for each name that could not be read."""

    values: Mapping[str, Value]
    problems: Mapping[str, str]


def client(service: str, region: str, attempts: int = 2) -> Any:
    """A client that waits about 8 s per attempt. Few attempts, because the next tick is the better retry."""
    config = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": attempts})
    return boto3.client(service, region_name=region, config=config)


def throttled(error: Exception) -> bool:
    """True when AWS throttled the call."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in THROTTLING_CODES


def read_services(ecs: Any, cluster: str, services: Sequence[str]) -> Read[ServiceCounts]:
    """Counts by service name. A service that is missing or being deleted is a problem, not a count of zero."""
    values: dict[str, ServiceCounts] = {}
    problems: dict[str, str] = {}
    for start in range(0, len(services), DESCRIBE_SERVICES_LIMIT):
        names = services[start : start + DESCRIBE_SERVICES_LIMIT]
        try:
            reply = ecs.describe_services(cluster=cluster, services=list(names))
        except AWS_ERRORS as error:
            # Without a connection the remaining calls would fail as well, each after its timeout.
            lost = isinstance(error, BotoCoreError)
            unread = services[start:] if lost else names
            problems.update(dict.fromkeys(unread, f"ECS services could not be read: {error}"))
            if lost:
                break
            continue
        active = {item["serviceName"]: item for item in reply["services"] if item["status"] == "ACTIVE"}
        for name in names:
            if name not in active:
                problems[name] = f"ECS service {name} does not exist in cluster {cluster}"
                continue
            item = active[name]
            values[name] = ServiceCounts(
                desired=item["desiredCount"],
                running=item["runningCount"],
                pending=item["pendingCount"],
                replaced=_replaced(item.get("deployments", ())),
            )
    return Read(values, problems)


def _replaced(deployments: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(item["id"] for item in deployments if item["status"] != "PRIMARY" and item["runningCount"])


def read_queues(sqs: Any, queue_urls: Sequence[str]) -> Read[MessageCounts]:
    """Approximate message counts by queue URL (SQS has no bulk read). Delayed messages count as visible."""
    values: dict[str, MessageCounts] = {}
    problems: dict[str, str] = {}
    for index, url in enumerate(queue_urls):
        try:
            reply = sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesDelayed",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )
        except ClientError as error:
            problems[url] = f"SQS queue {url} could not be read: {error}"
            continue
        except BotoCoreError as error:
            problems.update(dict.fromkeys(queue_urls[index:], f"SQS could not be read: {error}"))
            break
        numbers = {name: int(value) for name, value in reply["Attributes"].items()}
        values[url] = MessageCounts(
            visible=numbers["ApproximateNumberOfMessages"] + numbers.get("ApproximateNumberOfMessagesDelayed", 0),
            in_flight=numbers["ApproximateNumberOfMessagesNotVisible"],
        )
    return Read(values, problems)
