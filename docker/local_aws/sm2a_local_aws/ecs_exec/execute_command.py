# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ExecuteCommand, with what AWS refuses.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html

An agent runs in each container of a task that was started with ECS Exec on, and connects to Session Manager with the
task role: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html. Without those rights, or in a
container with a read-only root, there is none to reach.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ecs

from sm2a_local_aws.ecs import lookup
from sm2a_local_aws.ecs_exec.sessions import WAITING, Session
from sm2a_local_aws.iam import credentials, enforcement
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]
Record = dict[str, Any]

INTERACTIVE_ONLY = "Interactive is the only mode supported currently."
NO_TASK = "The task provided was not found. Confirm the task ID and try again."
NO_CONTAINER = "The container provided was not found in the task. Confirm the container name and try again."
WHICH_CONTAINER = "Container name must be provided when the task has more than one container."
NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."  # noqa: RUF001 (as AWS writes it)
)
NOT_CONNECTED = "The execute command failed due to an internal error. Try again later."
AGENT = "ExecuteCommandAgent"
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html#ecs-exec-required-iam-permissions
AGENT_CALLS = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")

relies_on("ministack.services.ecs", {"_resolve_cluster_name": "10edde4eb14f", "_resolve_task": "8656d47efbba"})


class RefusedError(Exception):
    """What AWS answers instead of a session."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@replaces("ministack.services.ecs:_execute_command", "2621b51a77f3")
def execute_command(_original: Handler, data: Record) -> Any:
    """Start a session, and tell where and with which token it is opened."""
    try:
        session = _session(data)
    except RefusedError as refused:
        return error_response_json(refused.code, str(refused), 400)
    WAITING.add(session)
    return json_response(
        {
            "clusterArn": session.task["clusterArn"],
            "taskArn": session.task["taskArn"],
            "containerArn": session.container["containerArn"],
            "containerName": session.container["name"],
            "interactive": True,
            "session": {
                "sessionId": session.session_id,
                "streamUrl": session.stream_url,
                "tokenValue": session.token,
            },
        }
    )


def _session(data: Record) -> Session:
    """A session as it is asked for."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    if cluster is None or cluster not in ecs._clusters:
        raise RefusedError("ClusterNotFoundException", "Cluster not found.")
    if not data.get("interactive"):
        raise RefusedError("InvalidParameterException", INTERACTIVE_ONLY)
    task = ecs._resolve_task(data.get("task", ""), cluster)
    if task is None or task["lastStatus"] == "STOPPED":
        raise RefusedError("InvalidParameterException", NO_TASK)
    index = _index(task, data.get("container"))
    container = task["containers"][index]
    if _agent_status(task, container) != "RUNNING":
        raise RefusedError("InvalidParameterException", NOT_ENABLED)
    started = list(task.get("_docker_ids") or [])
    if index >= len(started) or not _agent_is_connected(task):
        raise RefusedError("TargetNotConnectedException", NOT_CONNECTED)
    return Session(task, container, started[index], data.get("command", ""), *_configured(cluster))


@replaces("ministack.services.ecs:_describe_tasks", "c7057f1f0679")
def describe_tasks(original: Handler, data: Record) -> Any:
    """Containers have the status of their agent, where ECS Exec is on."""
    answer = original(data)
    status, _headers, body = answer
    if status != 200:
        return answer
    described = json.loads(body)
    for view in described["tasks"]:
        for container in view.get("containers", []) if view.get("enableExecuteCommand") else []:
            container["managedAgents"] = [{"name": AGENT, "lastStatus": _agent_status(view, container)}]
    return json_response(described)


def _index(task: Record, name: str | None) -> int:
    """Which of the task's containers."""
    names = [container["name"] for container in task["containers"]]
    if not name and len(names) > 1:
        raise RefusedError("InvalidParameterException", WHICH_CONTAINER)
    if name and name not in names:
        raise RefusedError("InvalidParameterException", NO_CONTAINER)
    return names.index(name) if name else 0


def _agent_status(task: Record, container: Record) -> str:
    """It cannot start where the root file system is read-only."""
    definitions = {one["name"]: one for one in lookup.task_definition_of(task).get("containerDefinitions", [])}
    read_only = definitions.get(container["name"], {}).get("readonlyRootFilesystem")
    if not task.get("enableExecuteCommand") or read_only or container["lastStatus"] == "STOPPED":
        return "STOPPED"
    return "RUNNING" if container["lastStatus"] == "RUNNING" else "PENDING"


def _agent_is_connected(task: Record) -> bool:
    """Whether the task role lets the agent open its channels."""
    role_arn = credentials.role_of(task, lookup.task_definition_of(task))
    return bool(role_arn) and not any(
        enforcement.refusal_of_task(role_arn, task["taskArn"], Call("ssmmessages", operation, {}))
        for operation in AGENT_CALLS
    )


def _configured(cluster: str) -> tuple[str, Record]:
    """The key that sessions of a cluster are encrypted with, and where they are recorded."""
    found = (ecs._clusters[cluster].get("configuration") or {}).get("executeCommandConfiguration") or {}
    logs = found.get("logConfiguration") if found.get("logging") == "OVERRIDE" else None
    return str(found.get("kmsKeyId") or ""), logs or {}
