# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""sqs_queue and sqs_queue_info against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils import sqs as api
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins.lost_replies import lose_replies
from botocore.exceptions import ClientError

Aws = Callable[[str], Any]


def read(aws: Aws, name: str) -> dict[str, Any] | None:
    """What SQS says about queue ``name``, None when it does not exist."""
    found = api.read_queue(aws("sqs"), name)
    if found is None:
        return None
    return {**found[0], "tags": found[1]}


def policy(name: str, action: str = "sqs:*") -> dict[str, Any]:
    """A policy that denies calls without TLS."""
    return support.deny_without_tls(action, f"arn:aws:sqs:*:000000000000:{name}")


def full(name: str) -> dict[str, Any]:
    """A work queue and its dead-letter queue with every option that does not exclude another."""
    return {
        "queues": [
            {
                "name": f"{name}-dead-letter",
                "message_retention_period": 1209600,
                "managed_sse": True,
                "redrive_allow_policy": {"redrive_permission": "byQueue", "source_queues": [name]},
            },
            {
                "name": name,
                "visibility_timeout": 3600,
                "message_retention_period": 86400,
                "receive_message_wait_time": 20,
                "delay": 1,
                "maximum_message_size": 262144,
                "kms_key_id": "alias/sm2a",
                "kms_data_key_reuse_period": 600,
                "policy": policy(name),
                "redrive_policy": {"dead_letter_queue": f"{name}-dead-letter", "max_receive_count": 5},
            },
        ],
        "tags": {"team": "data"},
    }


def test_ladder(ladder: Callable[..., support.Ladder], aws: Aws, unique_name: str) -> None:
    absent = {"state": "absent", "queues": [{"name": unique_name}, {"name": f"{unique_name}-dead-letter"}]}

    def read_both() -> list[Any]:
        return [state for name in (unique_name, f"{unique_name}-dead-letter") if (state := read(aws, name))]

    rungs = ladder("sqs_queue", full(unique_name), absent, read_both)

    dead_letter, queue = rungs.applied["queues"]
    assert queue["redrive_policy"] == {"deadLetterTargetArn": dead_letter["arn"], "maxReceiveCount": 5}
    assert dead_letter["redrive_allow_policy"] == {"redrivePermission": "byQueue", "sourceQueueArns": [queue["arn"]]}
    assert rungs.predicted["queues"][1]["visibility_timeout"] == 3600
    assert rungs.predicted["queues"][1]["arn"].endswith(f":{unique_name}")


@pytest.mark.parametrize(
    ("option", "value", "attribute", "stored"),
    [
        ("visibility_timeout", 60, "VisibilityTimeout", "60"),
        ("message_retention_period", 120, "MessageRetentionPeriod", "120"),
        ("receive_message_wait_time", 3, "ReceiveMessageWaitTimeSeconds", "3"),
        ("delay", 9, "DelaySeconds", "9"),
        ("maximum_message_size", 2048, "MaximumMessageSize", "2048"),
        ("kms_key_id", "alias/other", "KmsMasterKeyId", "alias/other"),
        ("kms_data_key_reuse_period", 900, "KmsDataKeyReusePeriodSeconds", "900"),
        ("managed_sse", True, "SqsManagedSseEnabled", "true"),
        ("policy", {}, "Policy", None),
        ("redrive_policy", {}, "RedrivePolicy", None),
        (
            "redrive_allow_policy",
            {"redrive_permission": "denyAll"},
            "RedriveAllowPolicy",
            {"redrivePermission": "denyAll"},
        ),
    ],
)
def test_every_option_is_changed_once(
    run_module: support.RunModule, aws: Aws, unique_name: str, *, option: str, value: Any, attribute: str, stored: Any
) -> None:
    run_module("sqs_queue", full(unique_name))
    change = {"queues": [{"name": unique_name, option: value}]}
    support.change_once(run_module, "sqs_queue", change, lambda: read(aws, unique_name))
    now = (read(aws, unique_name) or {}).get(attribute)
    assert (json.loads(now) if isinstance(stored, dict) and now else now) == stored


def test_managed_encryption_replaces_the_key(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("sqs_queue", full(unique_name))
    result = run_module("sqs_queue", {"queues": [{"name": unique_name, "managed_sse": True}]})
    assert result["queues"][0]["kms_key_id"] is None
    assert not (read(aws, unique_name) or {})["KmsMasterKeyId"]


def test_a_key_replaces_managed_encryption(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("sqs_queue", {"queues": [{"name": unique_name, "managed_sse": True}]})
    change = {"queues": [{"name": unique_name, "kms_key_id": "alias/sm2a"}]}
    result = support.change_once(run_module, "sqs_queue", change, lambda: read(aws, unique_name))
    assert (result["queues"][0]["kms_key_id"], result["queues"][0]["managed_sse"]) == ("alias/sm2a", False)


def test_a_lost_reply_to_creation_is_survived(
    run_module: support.RunModule, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = lose_replies(monkeypatch, "AmazonSQS.CreateQueue")
    assert run_module("sqs_queue", full(unique_name))["changed"]
    assert len(lost) == 1
    assert not run_module("sqs_queue", full(unique_name))["changed"]


@pytest.mark.parametrize("receive", [False, True])
def test_a_queue_with_messages_is_deleted_only_when_told(
    run_module: support.RunModule, aws: Aws, unique_name: str, receive: bool
) -> None:
    """A message that a worker holds counts as well."""
    url = run_module("sqs_queue", {"queues": [{"name": unique_name}]})["queues"][0]["url"]
    aws("sqs").send_message(QueueUrl=url, MessageBody="task")
    if receive:
        aws("sqs").receive_message(QueueUrl=url)
    absent = {"state": "absent", "queues": [{"name": unique_name}]}
    for check in (True, False):
        with pytest.raises(support.ModuleFailedError, match="holds 1 messages"):
            run_module("sqs_queue", absent, check=check)
        kept = run_module("sqs_queue", {**absent, "when_not_empty": "keep"}, check=check)
        assert not kept["changed"]
        assert f"Queue {unique_name} still holds messages and was kept" in json.dumps(kept["warnings"])
    assert run_module("sqs_queue", {**absent, "when_not_empty": "purge"}, check=True)["changed"]
    assert read(aws, unique_name)
    assert run_module("sqs_queue", {**absent, "when_not_empty": "purge"})["changed"]
    assert read(aws, unique_name) is None


def test_policy_is_compared_by_meaning(run_module: support.RunModule, unique_name: str) -> None:
    run_module("sqs_queue", full(unique_name))
    same = policy(unique_name)
    same["Statement"][0] = dict(reversed(same["Statement"][0].items())) | {"Action": ["sqs:*"]}
    assert not run_module("sqs_queue", {"queues": [{"name": unique_name, "policy": json.dumps(same)}]})["changed"]
    other = policy(unique_name, action="sqs:SendMessage")
    assert run_module("sqs_queue", {"queues": [{"name": unique_name, "policy": other}]})["changed"]


def test_policy_names_the_queue_it_belongs_to(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    shared = policy(unique_name)
    shared["Statement"][0]["Resource"] = "${queue_arn}"
    queues: list[dict[str, Any]] = [{"name": f"{unique_name}-{suffix}", "policy": shared} for suffix in "ab"]
    run_module("sqs_queue", {"queues": queues})
    for queue in queues:
        stored = read(aws, queue["name"]) or {}
        assert json.loads(stored["Policy"])["Statement"][0]["Resource"] == stored["QueueArn"]
    assert not run_module("sqs_queue", {"queues": queues})["changed"]


def test_unset_options_and_tags_are_left_alone(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("sqs_queue", full(unique_name))
    before = read(aws, unique_name)
    assert not run_module("sqs_queue", {"queues": [{"name": unique_name}]})["changed"]
    assert read(aws, unique_name) == before


def test_tags_are_purged_unless_told_otherwise(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("sqs_queue", full(unique_name))
    queues = [{"name": unique_name}]
    run_module("sqs_queue", {"queues": queues, "tags": {"more": 1}, "purge_tags": False})
    assert (read(aws, unique_name) or {})["tags"] == {"team": "data", "more": "1"}
    run_module("sqs_queue", {"queues": queues, "tags": {"more": 1}})
    assert (read(aws, unique_name) or {})["tags"] == {"more": "1"}


def test_missing_dead_letter_queue_is_an_error(run_module: support.RunModule, unique_name: str) -> None:
    queue = {"name": unique_name, "redrive_policy": {"dead_letter_queue": f"{unique_name}-nowhere"}}
    with pytest.raises(support.ModuleFailedError, match="set the queue's attributes"):
        run_module("sqs_queue", {"queues": [queue]})


def test_name_deleted_recently_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQS refuses the name twice, then gives it; nothing is slept away in the test."""
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    refusal = ClientError({"Error": {"Code": "AWS.SimpleQueueService.QueueDeletedRecently"}}, "CreateQueue")

    answers: list[Any] = [refusal, refusal, {"QueueUrl": "https://queue"}]

    class Sqs:
        def create_queue(self, **_: Any) -> Any:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    assert api.create_queue(Sqs(), "name", {}, {}) == "https://queue"
    assert len(waits) == 2


def test_info_leaves_out_what_does_not_exist(run_module: support.RunModule, unique_name: str) -> None:
    run_module("sqs_queue", {"queues": [{"name": unique_name, "delay": 7}]})
    result = run_module("sqs_queue_info", {"names": [f"{unique_name}-nowhere", unique_name]})
    assert [(queue["name"], queue["delay"]) for queue in result["queues"]] == [(unique_name, 7)]


def test_info_finds_by_prefix_and_tags(run_module: support.RunModule, unique_name: str) -> None:
    ours, others = {"team": unique_name}, {"team": "other"}
    run_module("sqs_queue", {"queues": [{"name": f"{unique_name}-{end}"} for end in "ab"], "tags": ours})
    run_module("sqs_queue", {"queues": [{"name": f"{unique_name}-c"}], "tags": others})

    def names(**arguments: Any) -> list[str]:
        return [queue["name"] for queue in run_module("sqs_queue_info", arguments)["queues"]]

    assert names(name_prefix=f"{unique_name}-", tags=ours) == [f"{unique_name}-a", f"{unique_name}-b"]
    assert names(name_prefix=f"{unique_name}-c") == [f"{unique_name}-c"]
    assert names(names=[f"{unique_name}-a", f"{unique_name}-c"], tags=ours) == [f"{unique_name}-a"]


def test_info_makes_up_what_check_mode_did_not_create(run_module: support.RunModule, unique_name: str) -> None:
    made = run_module("sqs_queue", {"queues": [{"name": unique_name}]})["queues"][0]
    missing = f"{unique_name}-missing"
    [queue] = support.placeholders(run_module, "sqs_queue_info", {"names": [missing]}, "queues")
    assert queue["arn"] == f"arn:aws:sqs:{support.REGION}:{support.ACCOUNT}:{missing}"
    assert queue["url"] == f"https://sqs.{support.REGION}.amazonaws.com/{support.ACCOUNT}/{missing}"
    both = {"names": [missing, unique_name], "placeholders": True}
    assert [each["url"] for each in run_module("sqs_queue_info", both, check=True)["queues"]] == [
        queue["url"],
        made["url"],
    ]
    by_prefix = {"name_prefix": unique_name, "placeholders": True}
    assert [each["name"] for each in run_module("sqs_queue_info", by_prefix, check=True)["queues"]] == [unique_name]
