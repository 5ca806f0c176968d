# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""sns_topic against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils import sns as api
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins.lost_replies import lose_replies

Aws = Callable[[str], Any]
MODULE = "sns_topic"


def arn_of(name: str) -> str:
    return f"arn:aws:sns:{support.REGION}:{support.ACCOUNT}:{name}"


def policy(action: str = "sns:Publish") -> dict[str, Any]:
    return support.deny_without_tls(action, "${topic_arn}")


@pytest.fixture
def queue(aws: Aws, unique_name: str) -> str:
    """ARN of a queue to deliver to."""
    url = aws("sqs").create_queue(QueueName=unique_name)["QueueUrl"]
    return str(aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


@pytest.fixture
def present(unique_name: str, queue: str) -> dict[str, Any]:
    return {
        "name": unique_name,
        "display_name": "SM2A",
        "kms_key_id": "alias/sm2a",
        "signature_version": "2",
        "policy": policy(),
        "subscriptions": [
            {"protocol": "email", "endpoint": "on-call@example.com"},
            {"protocol": "sqs", "endpoint": queue},
        ],
        "tags": {"team": "data"},
    }


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "state": "absent"}


@pytest.fixture
def read_state(aws: Aws, unique_name: str) -> Callable[[], Any]:
    def read() -> Any:
        topic = api.read_topic(aws("sns"), arn_of(unique_name))
        return None if topic is None else (topic.attributes, topic.tags, sorted(topic.subscriptions))

    return read


def test_ladder(own_ladder: Callable[..., support.Ladder], unique_name: str, queue: str) -> None:
    rungs = own_ladder()
    topic = rungs.applied["topic"]
    assert topic["arn"] == arn_of(unique_name)
    assert topic["subscriptions"] == [
        {"protocol": "email", "endpoint": "on-call@example.com"},
        {"protocol": "sqs", "endpoint": queue},
    ]
    assert topic["policy"]["Statement"][0]["Resource"] == arn_of(unique_name)
    assert rungs.predicted["diff"] == rungs.applied["diff"]


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": "Alarms"},
        {"kms_key_id": ""},
        {"signature_version": "1"},
        {"policy": policy("sns:*")},
        {"tags": {"team": "other"}},
        {"subscriptions": [{"protocol": "email", "endpoint": "other@example.com"}]},
        {"subscriptions": []},
    ],
    ids=lambda change: f"{next(iter(change))}-{len(str(change))}",
)
def test_a_change(
    made: support.Result,
    run_module: support.RunModule,
    present: dict[str, Any],
    change: dict[str, Any],
    read_state: Callable[[], Any],
) -> None:
    support.change_once(run_module, MODULE, {**present, **change}, read_state)


def test_unset_options_are_left_alone(
    made: support.Result, run_module: support.RunModule, unique_name: str, read_state: Callable[[], Any]
) -> None:
    before = read_state()
    assert not run_module(MODULE, {"name": unique_name})["changed"]
    assert read_state() == before


def test_subscriptions_are_kept_on_request(
    made: support.Result, run_module: support.RunModule, unique_name: str
) -> None:
    more = {"subscriptions": [{"protocol": "email", "endpoint": "b@example.com"}], "purge_subscriptions": False}
    result = run_module(MODULE, {"name": unique_name, **more})
    assert result["changed"]
    assert len(result["topic"]["subscriptions"]) == 3


def test_an_unconfirmed_subscription_is_neither_repeated_nor_removed() -> None:
    current = {("https", "https://a.example.com"): "PendingConfirmation", ("email", "b@example.com"): "arn:aws:sns:x"}
    wanted = [{"protocol": "https", "endpoint": "https://a.example.com"}]
    change = api.subscription_change(current, {"subscriptions": wanted, "purge_subscriptions": True})
    assert (change.add, change.remove) == ([], ["arn:aws:sns:x"])
    change = api.subscription_change(current, {"subscriptions": [], "purge_subscriptions": True})
    assert change.remove == ["arn:aws:sns:x"]
    assert ("https", "https://a.example.com") in change.result


def test_a_key_in_the_policy_is_compared_by_meaning() -> None:
    stored = {"Policy": json.dumps(policy(), indent=2), "KmsMasterKeyId": "key"}
    shuffled = json.dumps({key: policy()[key] for key in reversed(policy())})
    assert api.differing_attributes(stored, {"Policy": shuffled, "KmsMasterKeyId": "key"}) == {}
    assert api.differing_attributes({}, {"SignatureVersion": "1"}) == {}, "SNS leaves its default out"


@pytest.mark.parametrize("operation", ["CreateTopic", "Subscribe"])
def test_a_lost_reply_doubles_nothing(
    *,
    run_module: support.RunModule,
    aws: Aws,
    present: dict[str, Any],
    absent: dict[str, Any],
    unique_name: str,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    lost = lose_replies(monkeypatch, f"Action={operation}")
    assert run_module(MODULE, present)["changed"]
    assert len(lost) == 1, "no reply was lost"
    pages = aws("sns").get_paginator("list_topics").paginate()
    assert [topic["TopicArn"] for page in pages for topic in page["Topics"]].count(arn_of(unique_name)) == 1
    assert len(aws("sns").list_subscriptions_by_topic(TopicArn=arn_of(unique_name))["Subscriptions"]) == 2
    assert not run_module(MODULE, present)["changed"]
    run_module(MODULE, absent)
