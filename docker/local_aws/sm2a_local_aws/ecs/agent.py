# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The ECS agent endpoint that a container finds in ECS_AGENT_URI: `<uri>/task-protection/v1/state`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import request_scope
from ministack.services import ecs, ecs_metadata

from sm2a_local_aws.asgi import Application, answer_json, read_body
from sm2a_local_aws.iam import credentials, enforcement
from sm2a_local_aws.iam.request.calls import Call

PATH = re.compile(r"/api/(?P<token>[A-Za-z0-9_-]+)/task-protection/v1/state")


def agent_uri(metadata_uri: str) -> str:
    """The agent's address that belongs to a container's metadata address `http://host:port/v4/<token>`."""
    return metadata_uri.replace("/v4/", "/api/", 1)


def middleware(application: Application) -> Application:
    """The ASGI application with the agent's path in front of it."""

    async def wrapped(scope: dict[str, Any], receive: Any, send: Any) -> None:
        match = PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if match is None:
            await application(scope, receive, send)
            return
        body = await read_body(receive)
        status, answer = await run_reentrant(_answer, scope["method"], match["token"], body)
        await answer_json(send, status, json.dumps(answer).encode())

    return wrapped


def _answer(method: str, token: str, body: bytes) -> tuple[int, dict[str, Any]]:
    task_arn = ecs_metadata._TOKEN_TO_TASK.get(token)
    if task_arn is None:
        return 404, {"error": {"Code": "ResourceNotFoundException", "Message": "no task has this address"}}
    _arn, _aws, _ecs, region, account_id, resource = task_arn.split(":")
    request: dict[str, Any] = {"cluster": resource.split("/")[1], "tasks": [task_arn]}
    action = ecs._get_task_protection
    if method == "PUT":
        try:
            asked = json.loads(body or b"{}")
        except ValueError:
            return 400, {"error": {"Code": "ClientException", "Message": "the body is not JSON"}}
        request["protectionEnabled"] = bool(asked.get("ProtectionEnabled"))
        request["expiresInMinutes"] = asked.get("ExpiresInMinutes")
        action = ecs._update_task_protection
    refused = _refusal(task_arn, action is ecs._update_task_protection, request)
    if refused:
        return 400, {"error": {"Arn": task_arn, "Code": "AccessDeniedException", "Message": refused}}
    with request_scope(account_id, region):
        status, _headers, answer = action(request)
    return _agent_answer(task_arn, status, json.loads(answer))


def _refusal(task_arn: str, updates: bool, request: dict[str, Any]) -> str | None:
    """Why not: the agent calls ECS with the credentials of the task."""
    _arn, _aws, _ecs, region, account_id, _resource = task_arn.split(":")
    with request_scope(account_id, region):
        task = ecs._tasks.get(task_arn) or {}
        role_arn = credentials.role_of(
            task, ecs._task_defs.get(str(task.get("taskDefinitionArn")).rpartition("/")[2]) or {}
        )
    if not role_arn:
        return "the task has no task role"
    operation = "UpdateTaskProtection" if updates else "GetTaskProtection"
    return enforcement.refusal_of_task(role_arn, task_arn, Call("ecs", operation, request))


def _agent_answer(task_arn: str, status: int, answer: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if status != 200:
        message = answer.get("message") or answer.get("Message")
        return status, {"error": {"Arn": task_arn, "Code": "InvalidParameterException", "Message": message}}
    if answer["failures"]:
        failure = answer["failures"][0]
        return 200, {"failure": {"Arn": task_arn, "Reason": failure["reason"], "Detail": failure.get("detail", "")}}
    protection = answer["protectedTasks"][0]
    view = {"ProtectionEnabled": protection["protectionEnabled"], "TaskArn": task_arn}
    if "expirationDate" in protection:
        expiration = datetime.fromtimestamp(protection["expirationDate"], UTC)
        view["ExpirationDate"] = expiration.strftime("%Y-%m-%dT%H:%M:%SZ")
    return 200, {"protection": view}
