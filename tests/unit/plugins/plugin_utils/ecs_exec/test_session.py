# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Sessions that do not begin, and sessions that break: one sentence each."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec import session
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.calls import Target
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.session import SessionError, start
from botocore.exceptions import ClientError, EndpointConnectionError
from sm2a_local_aws.ecs_exec import agent_messages
from websockets.sync.server import ServerConnection, serve

TARGET = Target("staging", "arn:aws:ecs:eu-west-1:123456789012:task/staging/4b2a", "scheduler")
NOT_ENABLED = "The execute command failed because execute command was not enabled when the task was run or the agent"
DENIED = "User: x is not authorized to perform: ecs:ExecuteCommand on resource: task/4b2a"


class Ecs:
    """Answers ExecuteCommand with a session at this address, or with an error."""

    def __init__(self, url: str = "", error: Exception | None = None) -> None:
        self.url = url
        self.error = error
        self.asked: dict[str, Any] = {}
        real = boto3.client("ecs", region_name="eu-west-1", aws_access_key_id="AKIAX", aws_secret_access_key="x")
        self.meta, self._request_signer = real.meta, real._request_signer

    def execute_command(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        if self.error:
            raise self.error
        return {"session": {"sessionId": "ecs-execute-command-1", "streamUrl": self.url, "tokenValue": "secret token"}}

    @property
    def mark(self) -> bytes:
        """What the program says when it is ready."""
        return str(self.asked["command"].rpartition(" ")[2]).encode() + b" ready\n"


def no_client(_service: str) -> Any:
    raise AssertionError("no other service was to be asked")


class Agent:
    """The other end of a WebSocket that has been opened and has shaken hands."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._next = 0
        self.opening = json.loads(connection.recv(timeout=10))
        assert connection.request is not None
        self.headers = list(connection.request.headers.raw_items())
        self.say(agent_messages.HANDSHAKE_REQUEST, b'{"RequestedClientActions": []}')
        self.say(agent_messages.HANDSHAKE_COMPLETE, b"{}")

    def say(self, payload_type: int, payload: bytes) -> None:
        self._connection.send(agent_messages.stream(self._next, payload_type, payload))
        self._next += 1

    def close(self, output: str) -> None:
        self._connection.send(agent_messages.channel_closed("session", "target", output))

    def wait_for_input(self) -> None:
        """Until something for the terminal has come."""
        while True:
            read = agent_messages.read(bytes(self._connection.recv(timeout=10, decode=False)))
            if read.kind == agent_messages.INPUT:
                self._connection.send(agent_messages.acknowledgement(read))
            if read.payload_type == agent_messages.DATA:
                return

    def cut(self) -> None:
        """As when a cable is pulled, but at once."""
        self._connection.socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(behave: Callable[[Agent], None]) -> Iterator[str]:
    """The address of a WebSocket whose agent behaves so."""
    with serve(lambda connection: behave(Agent(connection)), "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/data-channel/x"
        server.shutdown()


def run(ecs: Ecs) -> int:
    made = start(ecs, no_client, TARGET, 10)
    try:
        return made.run("true", [], bytearray().extend, bytearray().extend)
    finally:
        made.close()


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("TargetNotConnectedException", "The execute command failed", "lacks the rights ssmmessages:*Channel"),
        ("InvalidParameterException", NOT_ENABLED, "set cluster_execute_command: true and run site.yml"),
        ("InvalidParameterException", "The task was not found", "The task was not found"),
        ("AccessDeniedException", DENIED, "The credentials lack ecs:ExecuteCommand on task/4b2a"),
        ("ClusterNotFoundException", "Cluster not found.", "Failed to run a command in a container"),
    ],
)
def test_what_aws_refuses(code: str, message: str, said: str) -> None:
    answer = {"Error": {"Code": code, "Message": message}}
    with pytest.raises(SessionError) as refused:
        run(Ecs(error=ClientError(answer, "ExecuteCommand")))
    assert said in str(refused.value)


def test_an_endpoint_that_does_not_answer() -> None:
    with pytest.raises(SessionError, match="The endpoint does not answer: check"):
        run(Ecs(error=EndpointConnectionError(endpoint_url="https://ecs")))


def test_a_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MISSING_LIBRARY", "websockets")
    with pytest.raises(SessionError, match="The Python package websockets is missing where Ansible runs: install it"):
        run(Ecs())


def test_an_address_where_nobody_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SessionError, match=r"container scheduler of task 4b2a was lost while it began .*refused"):
        run(Ecs(f"ws://127.0.0.1:{port}/"))


def test_an_image_without_a_shell() -> None:
    def behave(agent: Agent) -> None:
        agent.close("Unable to start command: Failed to start pty: fork/exec /bin/sh: no such file or directory")

    with serving(behave) as url, pytest.raises(SessionError, match=r"No shell starts in .*/bin/sh: no such file"):
        run(Ecs(url))


def test_an_image_without_base64() -> None:
    def behave(agent: Agent) -> None:
        agent.say(agent_messages.DATA, b"base64 is missing\r\n")
        agent.close("")

    with (
        serving(behave) as url,
        pytest.raises(SessionError, match=r"No shell starts in .*: base64 is missing\. Commands"),
    ):
        run(Ecs(url))


def test_a_connection_that_is_cut_in_a_command() -> None:
    ecs = Ecs()

    def behave(agent: Agent) -> None:
        assert agent.opening["TokenValue"] == "secret token"
        agent.say(agent_messages.DATA, ecs.mark)
        agent.wait_for_input()
        agent.cut()

    with serving(behave) as ecs.url, pytest.raises(SessionError) as lost:
        run(ecs)
    assert "was lost while a command ran" in str(lost.value)
    assert "what ran may go on running" in str(lost.value)
    assert "secret token" not in str(lost.value)


def test_an_agent_that_speaks_nonsense() -> None:
    def behave(agent: Agent) -> None:
        agent.say(agent_messages.HANDSHAKE_REQUEST, b"no JSON")
        agent.wait_for_input()

    said = "failed while it began: the payload of output_stream_data is not JSON"
    with serving(behave) as url, pytest.raises(SessionError, match=said):
        run(Ecs(url))


def test_the_caller_signs_the_opening() -> None:
    sent: list[tuple[str, str]] = []

    def behave(agent: Agent) -> None:
        sent.extend(agent.headers)
        agent.close("")

    with serving(behave) as url, pytest.raises(SessionError):
        run(Ecs(url))
    found = dict(sent)
    assert [name for name, _value in sent].count("Host") == 1
    assert re.match(
        r"AWS4-HMAC-SHA256 Credential=AKIAX/\d{8}/eu-west-1/ssmmessages/aws4_request, SignedHeaders=host;x-amz-date, ",
        found["Authorization"],
    )
    assert "Origin" not in found


def test_a_session_that_somebody_ends() -> None:
    ecs = Ecs()

    def behave(agent: Agent) -> None:
        agent.say(agent_messages.DATA, ecs.mark)
        agent.wait_for_input()
        agent.close("Session terminated by an administrator")

    with serving(behave) as ecs.url, pytest.raises(SessionError, match="ended while a command ran: Session terminated"):
        run(ecs)


def test_the_command_is_one_that_aws_splits_like_a_shell() -> None:
    ecs = Ecs(error=ClientError({"Error": {"Code": "X", "Message": ""}}, "ExecuteCommand"))
    with pytest.raises(SessionError):
        run(ecs)
    assert ecs.asked["command"].startswith("/bin/sh -c '")
    assert {"cluster": "staging", "task": TARGET.task, "container": "scheduler", "interactive": True}.items() <= (
        ecs.asked.items()
    )
