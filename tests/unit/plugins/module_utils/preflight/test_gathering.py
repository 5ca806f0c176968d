# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Questions are asked at once, one answer serves several, and a refusal ends nothing."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import (
    Answer,
    Once,
    Read,
    gather,
    or_refused,
)
from botocore.exceptions import ClientError

DENIED = ClientError(
    {"Error": {"Code": "AccessDeniedException", "Message": "User: me is not authorized to perform: ecs:ListTasks"}},
    "ListTasks",
)


def denied() -> Answer:
    raise AnsibleAWSError(message="Failed to list ECS tasks", exception=DENIED)


def test_questions_are_asked_at_once() -> None:
    together = threading.Barrier(8, timeout=20)

    def ask() -> Answer:
        together.wait()
        return Answer()

    answers, unread = gather([Read(("vpcs",), ask)] * 8)
    assert (len(answers), unread) == (8, [])


def test_a_missing_right_is_told_and_the_others_go_on() -> None:
    finding = Finding("vpcs", "a")
    answers, unread = gather([Read(("secrets", "kms_keys"), denied), Read(("vpcs",), lambda: Answer([finding]))])
    assert [answer.findings for answer in answers] == [[finding]]
    [one] = unread
    assert one.checks == ("secrets", "kms_keys")
    assert one.reason.startswith("The credentials lack ecs:ListTasks: add it to their policy")


def test_another_error_is_told_as_it_is() -> None:
    def fail() -> Answer:
        raise AnsibleAWSError(message="The DNS does not answer")

    assert [one.reason for one in gather([Read(("zone_delegation",), fail)])[1]] == ["The DNS does not answer."]


def test_an_error_of_our_own_program_is_not_hidden() -> None:
    def fail() -> Answer:
        raise KeyError("x")

    with pytest.raises(KeyError):
        gather([Read(("vpcs",), fail)])


def test_several_questions_share_one_answer() -> None:
    asked = []

    def ask() -> int:
        time.sleep(0.05)
        asked.append(1)
        return 7

    once = Once(ask)
    answers, _unread = gather([Read(("vpcs",), lambda: Answer([Finding("vpcs", str(once()))]))] * 6)
    assert {answer.findings[0].message for answer in answers} == {"7"}
    assert len(asked) == 1


def test_what_the_run_would_refuse_is_found_and_what_aws_refuses_is_not() -> None:
    def ours() -> list[Finding]:
        raise AnsibleAWSError(message="The region has fewer than 3 availability zones")

    [finding] = or_refused("fargate_zones", ours).findings
    assert finding == Finding("fargate_zones", "The region has fewer than 3 availability zones.")
    with pytest.raises(AnsibleAWSError):
        or_refused("fargate_zones", lambda: list(denied().findings))


def test_a_refused_question_is_asked_once() -> None:
    asked = []

    def ask() -> Answer:
        asked.append(1)
        return denied()

    once = Once(ask)
    answers, unread = gather([Read((name,), once) for name in ("hosted_zone", "zone_delegation", "domain_record")])
    assert answers == []
    assert len({one.reason for one in unread}) == len(asked) == 1
