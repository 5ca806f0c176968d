# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""kms_key against the emulator: there is one key, whatever happens to replies, aliases and runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils import kms as api
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins.lost_replies import lose_replies
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

MODULE = "kms_key"
Aws = Callable[[str], Any]


def policy(*services: str) -> dict[str, Any]:
    """The account decides through IAM, and each of ``services`` may encrypt."""
    statements: list[dict[str, Any]] = [
        {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{support.ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
    for service in services:
        statements.append(
            {
                "Sid": service.partition(".")[0],
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": ["kms:Encrypt", "kms:Decrypt"],
                "Resource": "*",
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}


@pytest.fixture
def identity(unique_name: str) -> dict[str, str]:
    return {"sm2a:environment": unique_name}


@pytest.fixture
def present(unique_name: str, identity: dict[str, str]) -> dict[str, Any]:
    """A key with every option."""
    return {
        "alias": unique_name,
        "lookup_tags": identity,
        "description": "Secrets of the test",
        "enabled": True,
        "enable_key_rotation": True,
        "rotation_period_in_days": 180,
        "policy": policy("logs.eu-west-1.amazonaws.com"),
        "tags": {"team": "data"},
    }


@pytest.fixture
def absent(unique_name: str, identity: dict[str, str]) -> dict[str, Any]:
    return {"alias": unique_name, "lookup_tags": identity, "pending_window": 7, "state": "absent"}


@pytest.fixture
def read_state(aws: Aws, unique_name: str, identity: dict[str, str]) -> Callable[[], Any]:
    """The key as it is, ``{}`` when there is none that can be used."""

    def read() -> dict[str, Any]:
        key = api.read_key(aws("kms"), f"alias/{unique_name}", identity)
        return {} if key.get("pending_deletion") else key

    return read


def keys_of(aws: Aws, identity: dict[str, str]) -> list[dict[str, Any]]:
    """Every key of the test."""
    return api.tagged_keys(aws("kms"), identity)


def test_ladder(own_ladder: Callable[..., support.Ladder], aws: Aws, identity: dict[str, str]) -> None:
    rungs = own_ladder()
    key = rungs.applied["key"]
    assert key["tags"] == {"team": "data", **identity}
    assert key["rotation_period_in_days"] == 180
    assert key["policy"] == policy("logs.eu-west-1.amazonaws.com")
    predicted = {**rungs.predicted["key"], "key_id": key["key_id"], "key_arn": key["key_arn"]}
    assert predicted == key
    (metadata,) = keys_of(aws, identity)
    assert metadata["KeyState"] == "PendingDeletion"


@pytest.mark.parametrize(
    ("change", "aspect", "value"),
    [
        ({"description": "Another"}, "description", "Another"),
        ({"description": ""}, "description", ""),
        ({"enabled": False}, "enabled", False),
        ({"enable_key_rotation": False}, "rotation_period_in_days", None),
        ({"enable_key_rotation": True, "rotation_period_in_days": 90}, "rotation_period_in_days", 90),
        ({"policy": policy()}, "policy", policy()),
        ({"tags": {"team": "platform"}}, "tags", {"team": "platform"}),
        ({"tags": {}}, "tags", {}),
    ],
)
def test_every_option_is_changed_once(
    run_module: support.RunModule,
    made: support.Result,
    read_state: Callable[[], Any],
    unique_name: str,
    identity: dict[str, str],
    *,
    change: dict[str, Any],
    aspect: str,
    value: Any,
) -> None:
    options = {"alias": unique_name, "lookup_tags": identity, **change}
    support.change_once(run_module, MODULE, options, read_state)
    now = read_state()
    assert now[aspect] == ({**value, **identity} if aspect == "tags" else value)
    assert {key for key in now if now[key] != made["key"][key]} == {aspect}


def test_unset_options_and_tags_are_left_alone(
    run_module: support.RunModule, made: support.Result, unique_name: str, identity: dict[str, str]
) -> None:
    result = run_module(MODULE, {"alias": f"alias/{unique_name}", "lookup_tags": identity})
    assert not result["changed"]
    assert result["key"] == made["key"]


def test_policy_is_compared_by_meaning(run_module: support.RunModule, made: support.Result, present: Any) -> None:
    same = policy("logs.eu-west-1.amazonaws.com")
    same["Statement"][1]["Action"].reverse()
    assert not run_module(MODULE, {**present, "policy": json.dumps(same)})["changed"]


def test_a_deleted_key_is_restored(
    run_module: support.RunModule,
    made: support.Result,
    aws: Aws,
    *,
    present: dict[str, Any],
    absent: dict[str, Any],
    identity: dict[str, str],
) -> None:
    """Also when its alias went, as after somebody cleaned up by hand."""
    run_module(MODULE, absent)
    aws("kms").delete_alias(AliasName=made["key"]["alias"])
    predicted = run_module(MODULE, present, check=True)
    restored = run_module(MODULE, present)
    assert predicted["changed"] and restored["changed"]
    assert predicted["diff"] == restored["diff"]
    assert restored["key"] == made["key"]
    assert len(keys_of(aws, identity)) == 1
    assert not run_module(MODULE, present)["changed"]


def test_a_lost_alias_comes_back(
    run_module: support.RunModule, made: support.Result, aws: Aws, present: Any, read_state: Callable[[], Any]
) -> None:
    aws("kms").delete_alias(AliasName=made["key"]["alias"])
    result = support.change_once(run_module, MODULE, present, read_state)
    assert result["key"] == made["key"]


def test_a_lost_reply_makes_no_second_key(
    run_module: support.RunModule,
    aws: Aws,
    *,
    present: dict[str, Any],
    absent: dict[str, Any],
    identity: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """KMS makes the key and its answer never comes; likewise the alias."""
    lost_keys = lose_replies(monkeypatch, "TrentService.CreateKey")
    lost_aliases = lose_replies(monkeypatch, "TrentService.CreateAlias")
    run_module(MODULE, present)
    assert (len(lost_keys), len(lost_aliases)) == (1, 1)
    assert len(keys_of(aws, identity)) == 1
    assert not run_module(MODULE, present)["changed"]
    run_module(MODULE, absent)


class Refusal:
    """The body of an answer of KMS that refuses a call, as urllib3 gives it."""

    def __init__(self, code: str) -> None:
        self.content = json.dumps({"__type": code, "message": "Not yet"}).encode()

    def stream(self) -> Iterator[bytes]:
        yield self.content


def refuse(monkeypatch: pytest.MonkeyPatch, code: str, times: int) -> dict[str, int]:
    """Refuse the first ``times`` calls of each action that names a key; no pause is made. Counts the calls of each."""
    real, calls = URLLib3Session.send, dict[str, int]()

    def send(session: URLLib3Session, request: Any) -> Any:
        action = request.headers["X-Amz-Target"].decode().partition(".")[2]
        calls[action] = calls.get(action, 0) + 1
        if action not in ("CreateKey", "DescribeKey", "ListKeys") and calls[action] <= times:
            return AWSResponse(request.url, 400, {}, Refusal(code))
        return real(session, request)

    monkeypatch.setattr(URLLib3Session, "send", send)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return calls


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotFoundException"])
def test_a_new_key_is_waited_for(
    run_module: support.RunModule,
    *,
    present: dict[str, Any],
    absent: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    """KMS knows a new key, and IAM its tags, some calls late."""
    with monkeypatch.context() as late:
        calls = refuse(late, code, 3)
        made = run_module(MODULE, present)["key"]
    assert calls["CreateKey"] == 1
    assert min(calls[action] for action in ("GetKeyPolicy", "CreateAlias", "EnableKeyRotation")) == 4
    assert made["tags"].keys() == {"team", "sm2a:environment"}
    assert not run_module(MODULE, present)["changed"]
    run_module(MODULE, absent)


def test_only_a_new_key_is_waited_for_and_not_for_ever(
    run_module: support.RunModule, *, present: dict[str, Any], absent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as refused:
        refuse(refused, "AccessDeniedException", 99)
        with pytest.raises(support.ModuleFailedError, match="Failed to read the"):
            run_module(MODULE, present)
    with monkeypatch.context() as refused:
        calls = refuse(refused, "AccessDeniedException", 1)
        with pytest.raises(support.ModuleFailedError, match="Failed to read the"):
            run_module(MODULE, present)
    assert "CreateKey" not in calls
    run_module(MODULE, absent)


@pytest.mark.parametrize(
    ("why", "hidden"),
    [("no resource-based policy allows the kms:ListResourceTags action", True), (api.LACKED, False)],
)
def test_tags_are_hidden_by_a_key_and_not_by_a_missing_right(why: str, hidden: bool) -> None:
    """Who may not read tags at all would make a second key where there is one."""

    class Kms:
        def get_paginator(self, operation: str) -> Any:
            refusal = {"Error": {"Code": "AccessDeniedException", "Message": f"not authorized, because {why}"}}
            raise ClientError(refusal, operation)

    if hidden:
        assert api.read_tags(Kms(), "theirs") == {}
    else:
        with pytest.raises(AnsibleAWSError, match="read the tags"):
            api.read_tags(Kms(), "theirs")


@pytest.mark.parametrize(("call", "state"), [("schedule_deletion", "PendingDeletion"), ("cancel_deletion", "Disabled")])
def test_what_a_lost_reply_has_done_is_not_refused(call: str, state: str) -> None:
    """KMS refuses the repeated call, because the first one was done."""

    class Kms:
        def __getattr__(self, _name: str) -> Any:
            def refuse(**_: Any) -> None:
                raise ClientError({"Error": {"Code": "KMSInvalidStateException"}}, "Repeated")

            return refuse

        def describe_key(self, **_: Any) -> Any:
            return {"KeyMetadata": {"KeyState": self.state}}

        state = ""

    kms, days = Kms(), (7,) if call == "schedule_deletion" else ()
    kms.state = state
    getattr(api, call)(kms, "id", *days)
    kms.state = "Disabled" if state == "PendingDeletion" else "PendingDeletion"
    with pytest.raises(AnsibleAWSError):
        getattr(api, call)(kms, "id", *days)


def test_a_run_that_died_after_creation_is_continued(
    run_module: support.RunModule, aws: Aws, present: dict[str, Any], absent: dict[str, Any], identity: dict[str, str]
) -> None:
    orphan = aws("kms").create_key(Tags=api.tag_list(identity))["KeyMetadata"]["KeyId"]
    assert run_module(MODULE, present)["key"]["key_id"] == orphan
    run_module(MODULE, absent)


def test_two_keys_with_the_identity_are_refused(
    run_module: support.RunModule, aws: Aws, present: dict[str, Any], identity: dict[str, str]
) -> None:
    ids = [aws("kms").create_key(Tags=api.tag_list(identity))["KeyMetadata"]["KeyId"] for _ in range(2)]
    for check in (True, False):
        with pytest.raises(support.ModuleFailedError, match="Several KMS keys") as failure:
            run_module(MODULE, present, check=check)
    assert all(key_id in failure.value.result["msg"] for key_id in ids)


def test_info_reads_the_key(
    run_module: support.RunModule, aws: Aws, present: dict[str, Any], absent: dict[str, Any]
) -> None:
    asked = {option: present[option] for option in ("alias", "lookup_tags")}
    [made_up] = support.placeholders(run_module, "kms_key_info", asked, "kms_keys")
    assert made_up["key_arn"] == run_module(MODULE, present, check=True)["key"]["key_arn"]

    made = run_module(MODULE, present)["key"]
    [read] = run_module("kms_key_info", asked)["kms_keys"]
    assert read == {**made, "exists": True}
    aws("kms").delete_alias(AliasName=made["alias"])
    [read] = run_module("kms_key_info", {**asked, "placeholders": True}, check=True)["kms_keys"]
    assert (read["key_arn"], read["alias"], read["exists"]) == (made["key_arn"], None, True)
    run_module(MODULE, absent)
    assert [key["pending_deletion"] for key in run_module("kms_key_info", asked)["kms_keys"]] == [True]
