# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""SQS: the API calls, and the pure translation between module options and queue attributes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import ACCOUNT, placeholder_arn

# SQS reports a missing queue under its old name to older protocols and proxies.
MISSING = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
DELETED_RECENTLY = ["QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently"]
PAGE = 1000  # queues; without a page size SQS leaves out what is more than that
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)

# option -> attribute, for attributes that are whole numbers (seconds, bytes).
NUMBERS = {
    "visibility_timeout": "VisibilityTimeout",
    "message_retention_period": "MessageRetentionPeriod",
    "receive_message_wait_time": "ReceiveMessageWaitTimeSeconds",
    "delay": "DelaySeconds",
    "maximum_message_size": "MaximumMessageSize",
    "kms_data_key_reuse_period": "KmsDataKeyReusePeriodSeconds",
}
# Stands for the ARN of the queue in a policy, so that several queues can share one text.
OWN_ARN = "${queue_arn}"
POLICIES = {
    "policy": "Policy",
    "redrive_policy": "RedrivePolicy",
    "redrive_allow_policy": "RedriveAllowPolicy",
}


@call("look up the queue", missing=MISSING)
def queue_url(sqs: Any, name: str) -> str | None:
    """The URL of queue ``name``, None when there is no such queue."""
    url: str = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return url


@call("read the queue's attributes", missing=MISSING)
def queue_attributes(sqs: Any, url: str) -> dict[str, str] | None:
    """Every attribute as SQS reports it, None when the queue has just been deleted."""
    attributes: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return attributes


@call("read the queue's tags", missing=MISSING, default={})
def queue_tags(sqs: Any, url: str) -> dict[str, str]:
    """The queue's tags."""
    tags: dict[str, str] = sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
    return tags


@call("create the queue (SQS refuses a name for 60 seconds after its queue was deleted)")
def create_queue(sqs: Any, name: str, attributes: Mapping[str, str], tags: Mapping[str, str]) -> str:
    """Create a queue and return its URL; a name whose queue was deleted less than 60 seconds ago is tried again."""
    with_retries = AWSRetry.jittered_backoff(retries=15, delay=4, max_delay=8, catch_extra_error_codes=DELETED_RECENTLY)
    url: str = with_retries(sqs.create_queue)(QueueName=name, Attributes=dict(attributes), tags=dict(tags))["QueueUrl"]
    return url


@call("list the queues")
def queue_names(sqs: Any, name_prefix: str) -> list[str]:
    """Names of the queues that start with ``name_prefix``."""
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=name_prefix, PaginationConfig={"PageSize": PAGE})
    return sorted(url.rsplit("/", 1)[-1] for page in pages for url in page.get("QueueUrls", []))


@call("set the queue's attributes")
def set_attributes(sqs: Any, url: str, attributes: Mapping[str, str]) -> None:
    """Set attributes; an empty value removes a policy or a key."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes=dict(attributes))


@call("tag the queue")
def tag_queue(sqs: Any, url: str, tags: Mapping[str, str]) -> None:
    """Set tags."""
    sqs.tag_queue(QueueUrl=url, Tags=dict(tags))


@call("untag the queue")
def untag_queue(sqs: Any, url: str, keys: list[str]) -> None:
    """Remove tags."""
    sqs.untag_queue(QueueUrl=url, TagKeys=keys)


@call("delete the queue", missing=MISSING)
def delete_queue(sqs: Any, url: str) -> None:
    """Delete the queue and its messages."""
    sqs.delete_queue(QueueUrl=url)


def read_queue(sqs: Any, name: str) -> tuple[dict[str, str], dict[str, str]] | None:
    """``(attributes, tags)`` of queue ``name`` with its URL as attribute ``QueueUrl``; None when it does not exist."""
    url = queue_url(sqs, name)
    attributes = queue_attributes(sqs, url) if url else None
    if url is None or attributes is None:
        return None
    return {**attributes, "QueueUrl": url}, queue_tags(sqs, url)


def describe(name: str, attributes: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, Any]:
    """The snake_case view of a queue that modules return: numbers as int, policies as dict (``{}``: none)."""
    numbers = {option: int(attributes[key]) for option, key in NUMBERS.items() if key in attributes}
    policies = {option: json.loads(attributes.get(key) or "{}") for option, key in POLICIES.items()}
    return {
        "name": name,
        "url": attributes["QueueUrl"],
        "arn": attributes["QueueArn"],
        **numbers,
        "kms_key_id": attributes.get("KmsMasterKeyId") or None,
        "managed_sse": attributes.get("SqsManagedSseEnabled", "false") == "true",
        **policies,
        "tags": dict(tags),
    }


def placeholder(sqs: Any, name: str) -> dict[str, str]:
    """URL and ARN of the right shape for a queue that does not exist yet."""
    return {
        "url": f"https://sqs.{sqs.meta.region_name}.amazonaws.com/{ACCOUNT}/{name}",
        "arn": placeholder_arn(sqs, name),
    }


def message_count(attributes: Mapping[str, str]) -> int:
    """How many messages wait, are being worked on or are delayed, as SQS knew about a minute ago."""
    return sum(int(attributes.get(count, 0)) for count in COUNTS)


def arn_of(name: str, any_queue_arn: str) -> str:
    """The ARN of queue ``name`` in the account and region of another queue."""
    return f"{any_queue_arn.rsplit(':', 1)[0]}:{name}"


def wanted_attributes(options: Mapping[str, Any], any_queue_arn: str) -> dict[str, str]:
    """The attributes that the options of one queue ask for; an unset option asks for nothing.

    ``any_queue_arn`` is the ARN of a queue in the same account and region: queue names become ARNs with it.
    """
    wanted = {key: str(options[option]) for option, key in NUMBERS.items() if options.get(option) is not None}
    if options.get("kms_key_id") is not None:
        wanted["KmsMasterKeyId"] = options["kms_key_id"]
        if options["kms_key_id"]:
            wanted["SqsManagedSseEnabled"] = "false"  # a queue has one or the other
    if options.get("managed_sse") is not None:
        wanted["SqsManagedSseEnabled"] = str(options["managed_sse"]).lower()
        if options["managed_sse"]:
            wanted["KmsMasterKeyId"] = ""
    if options.get("policy") is not None:
        own_arn = arn_of(options["name"], any_queue_arn)
        wanted["Policy"] = policy_text(json.loads(options["policy"].replace(OWN_ARN, own_arn)))
    if options.get("redrive_policy") is not None:
        wanted["RedrivePolicy"] = policy_text(redrive_policy(options["redrive_policy"], any_queue_arn))
    if options.get("redrive_allow_policy") is not None:
        wanted["RedriveAllowPolicy"] = policy_text(redrive_allow_policy(options["redrive_allow_policy"], any_queue_arn))
    return wanted


def policy_text(policy: Mapping[str, Any]) -> str:
    """A policy as an attribute value: stable JSON, or empty to remove it."""
    return json.dumps(policy, sort_keys=True) if policy else ""


def redrive_policy(options: Mapping[str, Any], any_queue_arn: str) -> dict[str, Any]:
    """``{deadLetterTargetArn, maxReceiveCount}``, or ``{}`` when every suboption is unset."""
    target = options.get("dead_letter_queue")
    if not target:
        return {}
    arn = target if target.startswith("arn:") else arn_of(target, any_queue_arn)
    return {"deadLetterTargetArn": arn, "maxReceiveCount": options["max_receive_count"]}


def redrive_allow_policy(options: Mapping[str, Any], any_queue_arn: str) -> dict[str, Any]:
    """``{redrivePermission, sourceQueueArns}``, or ``{}`` when every suboption is unset."""
    permission = options.get("redrive_permission")
    if not permission:
        return {}
    if permission != "byQueue":
        return {"redrivePermission": permission}
    sources = options.get("source_queues") or []
    arns = [source if source.startswith("arn:") else arn_of(source, any_queue_arn) for source in sources]
    return {"redrivePermission": permission, "sourceQueueArns": sorted(arns)}


def differing_attributes(current: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The wanted attributes that differ from the current ones, policies compared by meaning."""
    return {key: value for key, value in wanted.items() if not same_attribute(key, current.get(key) or "", value)}


def same_attribute(key: str, current: str, wanted: str) -> bool:
    """Whether two values of an attribute mean the same."""
    if key == "SqsManagedSseEnabled":
        return (current or "false") == wanted
    if key not in POLICIES.values() or not current or not wanted:
        return current == wanted
    if key == "Policy":
        return not compare_policies(json.loads(current), json.loads(wanted))
    return normal_redrive(json.loads(current)) == normal_redrive(json.loads(wanted))


def normal_redrive(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A redrive or redrive allow policy with comparable values: the count as a number, the sources in order."""
    normal = dict(policy)
    if "maxReceiveCount" in normal:
        normal["maxReceiveCount"] = int(normal["maxReceiveCount"])
    if "sourceQueueArns" in normal:
        normal["sourceQueueArns"] = sorted(normal["sourceQueueArns"])
    return normal
