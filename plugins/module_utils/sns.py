# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""SNS topics: one function per API call, then what is wanted compared with what there is.

A topic is known by its name and a subscription by protocol and endpoint, so SNS answers a repeated CreateTopic or
Subscribe with what the first one made: a lost reply doubles nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, call

PROTOCOLS = ("email", "email-json", "http", "https", "sms", "sqs", "lambda", "firehose")
# Option of the module: attribute of the topic.
ATTRIBUTES = {
    "display_name": "DisplayName",
    "kms_key_id": "KmsMasterKeyId",
    "signature_version": "SignatureVersion",
    "policy": "Policy",
}
# What SNS means where a topic has no such attribute.
DEFAULTS = {"SignatureVersion": "1"}
# Subscriptions that wait for their confirmation have this instead of an ARN, and cannot be removed.
PENDING = "PendingConfirmation"
# (protocol, endpoint): ARN or PENDING.
Subscriptions = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Topic:
    """A topic: attributes and tags in the API's own words, and who is subscribed."""

    attributes: dict[str, str]
    tags: dict[str, str]
    subscriptions: Subscriptions


@dataclass(frozen=True)
class SubscriptionChange:
    """Subscriptions to add, ARNs to remove, and what there is afterwards."""

    add: list[tuple[str, str]]
    remove: list[str]
    result: Subscriptions

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


@call("read the account")
def topic_arn(sts: Any, region: str, name: str) -> str:
    """ARN that the topic of this name has or will have."""
    identity = sts.get_caller_identity()
    partition = identity["Arn"].split(":")[1]
    return f"arn:{partition}:sns:{region}:{identity['Account']}:{name}"


def read_topic(sns: Any, arn: str) -> Topic | None:
    """The topic, or None."""
    attributes = topic_attributes(sns, arn)
    if attributes is None:
        return None
    return Topic(attributes, topic_tags(sns, arn), topic_subscriptions(sns, arn))


@call("read the topic", missing=("NotFound",))
def topic_attributes(sns: Any, arn: str) -> dict[str, str] | None:
    """Attributes of the topic; None when it does not exist."""
    attributes: dict[str, str] = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    return attributes


@call("read the tags of the topic")
def topic_tags(sns: Any, arn: str) -> dict[str, str]:
    """Tags of the topic."""
    return {tag["Key"]: tag["Value"] for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]}


@call("read the subscriptions of the topic")
def topic_subscriptions(sns: Any, arn: str) -> Subscriptions:
    """Every subscription of the topic."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return {
        (item["Protocol"], item["Endpoint"]): item["SubscriptionArn"]
        for page in pages
        for item in page["Subscriptions"]
    }


@call("create the topic")
def create_topic(sns: Any, name: str, attributes: dict[str, str], tags: dict[str, str]) -> None:
    """Create the topic, encrypted and with its policy from the first moment."""
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    sns.create_topic(Name=name, Attributes=attributes, Tags=pairs)


@call("set an attribute of the topic")
def set_attribute(sns: Any, arn: str, name: str, value: str) -> None:
    """Set one attribute."""
    sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)


@call("tag the topic")
def set_tags(sns: Any, arn: str, change: TagChange) -> None:
    """Set and remove tags."""
    if change.remove:
        sns.untag_resource(ResourceArn=arn, TagKeys=change.remove)
    if change.set:
        sns.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in change.set.items()])


@call("subscribe to the topic")
def subscribe(sns: Any, arn: str, protocol: str, endpoint: str) -> None:
    """Subscribe an endpoint."""
    sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint, ReturnSubscriptionArn=True)


@call("remove a subscription", missing=("NotFound",))
def unsubscribe(sns: Any, subscription_arn: str) -> None:
    """Remove one subscription."""
    sns.unsubscribe(SubscriptionArn=subscription_arn)


@call("delete the topic", missing=("NotFound",))
def delete_topic(sns: Any, arn: str) -> None:
    """Delete the topic and its subscriptions."""
    sns.delete_topic(TopicArn=arn)


def wanted_attributes(options: Mapping[str, Any], arn: str) -> dict[str, str]:
    """The attributes that are declared, with the topic's ARN in the policy."""
    wanted = {attribute: options[option] for option, attribute in ATTRIBUTES.items() if options[option] is not None}
    return {name: str(value).replace("${topic_arn}", arn) for name, value in wanted.items()}


def differing_attributes(current: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The wanted attributes that the topic does not have, policies compared by meaning."""
    return {
        name: value
        for name, value in wanted.items()
        if not _same(name, current.get(name) or DEFAULTS.get(name, ""), value)
    }


def _same(name: str, current: str, wanted: str) -> bool:
    if name == "Policy" and current:
        return not compare_policies(json.loads(current), json.loads(wanted))
    return current == wanted


def subscription_change(current: Subscriptions, options: Mapping[str, Any]) -> SubscriptionChange:
    """What leads to the declared subscriptions; those that wait for a confirmation stay."""
    if options["subscriptions"] is None:
        return SubscriptionChange([], [], current)
    wanted = list(dict.fromkeys((item["protocol"], item["endpoint"]) for item in options["subscriptions"]))
    add = [key for key in wanted if key not in current]
    surplus = [key for key in current if key not in wanted and current[key].startswith("arn:")]
    remove = surplus if options["purge_subscriptions"] else []
    result = {key: arn for key, arn in current.items() if key not in remove} | dict.fromkeys(add, PENDING)
    return SubscriptionChange(add, [current[key] for key in remove], result)


def describe(arn: str, topic: Topic) -> dict[str, Any]:
    """The topic as the module returns it."""
    attributes = {**DEFAULTS, **topic.attributes}
    return {
        "name": arn.rsplit(":", 1)[-1],
        "arn": arn,
        **{option: attributes.get(name, "") for option, name in ATTRIBUTES.items()},
        "policy": json.loads(attributes.get("Policy") or "{}"),
        "subscriptions": [{"protocol": protocol, "endpoint": end} for protocol, end in sorted(topic.subscriptions)],
        "tags": topic.tags,
    }
