# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Only who has the token of a session opens it, once and soon."""

from __future__ import annotations

import pytest
from sm2a_local_aws import settings
from sm2a_local_aws.ecs_exec import sessions
from sm2a_local_aws.ecs_exec.sessions import PATH, TOKEN_SECONDS, Session, Waiting
from sm2a_local_aws.settings import Settings

TASK = {
    "taskArn": "arn:aws:ecs:eu-west-1:000000000000:task/staging/4b2a",
    "clusterArn": "arn:aws:ecs:eu-west-1:000000000000:cluster/staging",
}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def session() -> Session:
    return Session(TASK, {"runtimeId": "0123"}, "container", "sh", "")


def test_the_token_opens_once() -> None:
    waiting, made = Waiting(), session()
    waiting.add(made)
    assert waiting.take(made.path, made.token) is made
    assert waiting.take(made.path, made.token) is None


@pytest.mark.parametrize("token", ["", "x", "ä"])
def test_a_wrong_token_ends_the_session(token: str) -> None:
    waiting, made = Waiting(), session()
    waiting.add(made)
    assert waiting.take(made.path, token) is None
    assert waiting.take(made.path, made.token) is None


def test_a_token_of_another_session_does_not_open_it() -> None:
    waiting, made, other = Waiting(), session(), session()
    waiting.add(made)
    waiting.add(other)
    assert waiting.take(made.path, other.token) is None
    assert waiting.take(other.path, other.token) is other


def test_a_token_is_good_for_a_minute() -> None:
    clock = Clock()
    waiting, made = Waiting(clock), session()
    waiting.add(made)
    clock.now = TOKEN_SECONDS
    assert waiting.take(made.path, made.token) is None


def test_the_token_is_in_no_log() -> None:
    made = session()
    assert made.token not in repr(made)
    assert len(made.token) >= 96


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_current", [Settings(engine_socket="unix:///x", subnet="10.91.0.0/24")])
    made = session()
    assert PATH.fullmatch(made.path)
    assert made.stream_url == f"ws://10.91.0.1:4566{made.path}?role=publish_subscribe"
    assert made.target_id == "ecs:staging_4b2a_0123"
    assert made.session_id.startswith(sessions.PREFIX)
