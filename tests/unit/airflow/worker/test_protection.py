# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The protection of a task follows the messages that its worker holds."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sm2a_runtime.worker.protection import EcsAgent, ProtectionError, ProtectionPolicy, Protector

POLICY = ProtectionPolicy(expires_minutes=3, idle_grace_seconds=10, retry_seconds=5)


@dataclass
class Clock:
    """Time that tests move."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeAgent:
    """Records what was asked; refuses while `broken`, does it without an answer while `silent`."""

    calls: list[tuple[float, bool, int]] = field(default_factory=list)
    broken: bool = False
    silent: bool = False
    protected: bool = False
    clock: Clock = field(default_factory=Clock)

    def set_protection(self, enabled: bool, expires_minutes: int) -> None:
        self.calls.append((self.clock.now, enabled, expires_minutes))
        if self.broken:
            raise ProtectionError("throttled")
        self.protected = enabled
        if self.silent:
            raise ProtectionError("timed out")


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent()


@pytest.fixture
def protector(agent: FakeAgent) -> Protector:
    return Protector(agent, POLICY, agent.clock)


def run(protector: Protector, agent: FakeAgent, seconds: int, held: int) -> list[tuple[float, bool]]:
    """Update once a second; the calls made meanwhile as (seconds since the start, enabled)."""
    start, before = agent.clock.now, len(agent.calls)
    for _ in range(seconds):
        protector.update(held)
        agent.clock.now += 1
    return [(at - start, enabled) for at, enabled, _ in agent.calls[before:]]


def test_an_idle_worker_that_never_had_a_message_asks_for_nothing(protector: Protector, agent: FakeAgent) -> None:
    assert run(protector, agent, 300, held=0) == []


def test_the_first_message_protects_at_once_for_the_whole_expiry(protector: Protector, agent: FakeAgent) -> None:
    protector.update(1)
    assert agent.calls == [(1000.0, True, 3)]


def test_a_long_task_renews_at_a_third_of_the_expiry(protector: Protector, agent: FakeAgent) -> None:
    assert run(protector, agent, 185, held=1) == [(0, True), (60, True), (120, True), (180, True)]


def test_release_waits_for_the_idle_grace(protector: Protector, agent: FakeAgent) -> None:
    run(protector, agent, 5, held=2)
    assert run(protector, agent, 60, held=0) == [(10, False)]


def test_a_message_within_the_grace_starts_the_grace_again(protector: Protector, agent: FakeAgent) -> None:
    run(protector, agent, 5, held=1)
    assert run(protector, agent, 9, held=0) == []
    assert run(protector, agent, 1, held=1) == []
    assert run(protector, agent, 20, held=0) == [(10, False)]


def test_after_a_release_the_next_message_protects_again(protector: Protector, agent: FakeAgent) -> None:
    run(protector, agent, 1, held=1)
    run(protector, agent, 30, held=0)
    assert run(protector, agent, 3, held=1) == [(0, True)]


def test_a_refusal_is_tried_again_after_a_pause_and_logged_once(
    protector: Protector, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    agent.broken = True
    assert run(protector, agent, 12, held=1) == [(0, True), (5, True), (10, True)]
    assert caplog.text.count("cannot protect") == 1
    agent.broken = False
    assert run(protector, agent, 10, held=1) == [(3, True)]


def test_a_refused_release_does_not_forget_that_the_task_is_protected(protector: Protector, agent: FakeAgent) -> None:
    run(protector, agent, 1, held=1)
    agent.broken = True
    run(protector, agent, 12, held=0)
    agent.broken = False
    assert run(protector, agent, 12, held=0) == [(3, False)]


def test_a_release_without_an_answer_may_have_been_carried_out(protector: Protector, agent: FakeAgent) -> None:
    run(protector, agent, 1, held=1)
    agent.silent = True
    run(protector, agent, 11, held=0)
    agent.silent = False
    assert not agent.protected
    run(protector, agent, 6, held=1)
    assert agent.protected


def test_a_protection_without_an_answer_is_released_when_idle(protector: Protector, agent: FakeAgent) -> None:
    agent.silent = True
    run(protector, agent, 1, held=1)
    agent.silent = False
    run(protector, agent, 12, held=0)
    assert not agent.protected


def test_a_message_that_comes_while_the_agent_refuses_is_protected_after_the_pause(
    protector: Protector, agent: FakeAgent
) -> None:
    run(protector, agent, 1, held=1)
    agent.clock.now += 60
    agent.broken = True
    run(protector, agent, 1, held=1)
    agent.broken = False
    assert run(protector, agent, 6, held=1) == [(4, True)]


class AgentServer(HTTPServer):
    """Answers with what the test sets."""

    answer: tuple[int, Any]
    requests: list[tuple[str, Any]]


class Handler(BaseHTTPRequestHandler):
    server: AgentServer

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(body)))
        self._answer()

    def do_GET(self) -> None:
        self.server.requests.append((self.path, None))
        self._answer()

    def _answer(self) -> None:
        status, answer = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[AgentServer]:
    with AgentServer(("127.0.0.1", 0), Handler) as server:
        server.requests = []
        server.answer = 200, {"protection": {"ProtectionEnabled": True}}
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def client(server: AgentServer) -> EcsAgent:
    return EcsAgent(f"http://127.0.0.1:{server.server_port}/api/abc", timeout_seconds=2)


def test_the_agent_is_asked_as_ecs_documents_it(server: AgentServer) -> None:
    client(server).set_protection(True, 60)
    client(server).set_protection(False, 60)
    assert server.requests == [
        ("/api/abc/task-protection/v1/state", {"ProtectionEnabled": True, "ExpiresInMinutes": 60}),
        ("/api/abc/task-protection/v1/state", {"ProtectionEnabled": False}),
    ]


def test_the_agent_tells_how_long_the_protection_lasts(server: AgentServer) -> None:
    ends = datetime.now(UTC) + timedelta(hours=48)
    protection = {"ProtectionEnabled": True, "ExpirationDate": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
    server.answer = 200, {"protection": protection}
    assert client(server).protected_seconds() == pytest.approx(48 * 3600, abs=5)
    server.answer = 200, {"protection": {"ProtectionEnabled": False, "TaskArn": "arn"}}
    assert client(server).protected_seconds() == 0
    assert server.requests == [("/api/abc/task-protection/v1/state", None)] * 2
    server.answer = 200, {"protection": {"ProtectionEnabled": True}}
    with pytest.raises(ProtectionError, match="unexpected response"):
        client(server).protected_seconds()


@pytest.mark.parametrize(
    ("status", "answer", "message"),
    [
        (200, {"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}, "DEPLOYMENT_BLOCKED"),
        (200, {"error": {"Code": "ThrottlingException"}}, "ThrottlingException"),
        (400, {"error": {"Code": "AccessDeniedException"}}, "AccessDeniedException"),
        (500, b"", "500"),
        (200, b"no json", "Expecting value"),
        (200, {}, "unexpected response"),
    ],
)
def test_every_way_to_say_no_is_an_error(server: AgentServer, status: int, answer: Any, message: str) -> None:
    server.answer = status, answer
    with pytest.raises(ProtectionError, match=message):
        client(server).set_protection(True, 60)


def test_no_agent_is_an_error() -> None:
    with pytest.raises(ProtectionError):
        EcsAgent("http://127.0.0.1:9", timeout_seconds=1).set_protection(True, 60)
