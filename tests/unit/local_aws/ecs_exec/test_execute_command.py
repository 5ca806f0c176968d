# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What ExecuteCommand refuses, and who gets to the WebSocket of a session; without containers."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import CLUSTER, LocalAws
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

CHANNEL = "/v1/data-channel/ecs-execute-command-0123456789abcdef0"


@pytest.fixture(scope="module")
def services(control_plane: LocalAws) -> Iterator[dict[str, str]]:
    """A task of each service."""
    ecs, tasks = control_plane.client("ecs"), {}
    definition = control_plane.task_definition("entered", {"name": "other"})
    for name, enabled in (("on", True), ("off", False)):
        control_plane.create_service(name, definition, 1, enableExecuteCommand=enabled)
        (tasks[name],) = control_plane.tasks_of(name)
    yield tasks
    for name in tasks:
        ecs.delete_service(cluster=CLUSTER, service=name, force=True)


@pytest.mark.parametrize(
    ("task", "changes", "said"),
    [
        ("on", {"cluster": "nowhere"}, r"\(ClusterNotFoundException\) .*Cluster not found"),
        ("on", {"interactive": False}, r"\(InvalidParameterException\) .*Interactive is the only mode"),
        ("on", {"task": "0" * 32}, r"\(InvalidParameterException\) .*task"),
        ("on", {"container": "nobody"}, r"\(InvalidParameterException\) .*container"),
        ("off", {}, r"\(InvalidParameterException\) .*execute command was not enabled when the task was run"),
        # Nothing runs here that could be entered.
        ("on", {}, r"\(TargetNotConnectedException\) .*internal error. Try again later"),
    ],
)
def test_refusals(
    control_plane: LocalAws, services: dict[str, str], task: str, changes: dict[str, Any], said: str
) -> None:
    asked = {"cluster": CLUSTER, "task": services[task], "container": "main", "interactive": True, **changes}
    with pytest.raises(ClientError, match=said):
        control_plane.client("ecs").execute_command(command="sh", **asked)


def test_one_of_several_containers_must_be_named(control_plane: LocalAws, services: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        control_plane.client("ecs").execute_command(
            cluster=CLUSTER, task=services["on"], command="sh", interactive=True
        )


@pytest.mark.parametrize(("service", "status"), [("on", "RUNNING"), ("off", None)])
def test_tasks_tell_the_state_of_the_agent(
    control_plane: LocalAws, services: dict[str, str], service: str, status: str | None
) -> None:
    for container in control_plane.task(services[service])["containers"]:
        agents = container.get("managedAgents")
        assert agents == ([{"name": "ExecuteCommandAgent", "lastStatus": status}] if status else None)


@pytest.mark.parametrize(
    "opening", ["", "{", "[]", "{}", json.dumps({"TokenValue": "made up"}), json.dumps({"TokenValue": 1})]
)
def test_without_its_token_no_session_is_opened(control_plane: LocalAws, opening: str) -> None:
    with connect(f"ws://127.0.0.1:{control_plane.port}{CHANNEL}") as socket:
        socket.send(opening)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (CHANNEL, {"Origin": "http://evil.example"}),
        (CHANNEL, {"Sec-Fetch-Site": "cross-site"}),
        (CHANNEL, {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}),
        ("/v1/data-channel/other", {}),
        (f"{CHANNEL}/..", {}),
        ("/mqtt", {}),
    ],
)
def test_no_browser_and_no_other_path_gets_a_websocket(
    control_plane: LocalAws, path: str, headers: dict[str, str]
) -> None:
    agent = headers.pop("User-Agent", "test")
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{control_plane.port}{path}", additional_headers=headers, user_agent_header=agent),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_another_host_gets_no_websocket(control_plane: LocalAws) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        socket.create_connection(("127.0.0.1", control_plane.port)) as connection,
        connect(f"ws://evil.localtest.me:{control_plane.port}{CHANNEL}", sock=connection),
    ):
        pass
    assert refused.value.response.status_code == 403
