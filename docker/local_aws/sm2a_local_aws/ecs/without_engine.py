# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Without a container engine: services count as running, one-off tasks end by themselves.

A one-off task ends with exit code 0, or with the one in the environment variable SM2A_LOCAL_AWS_EXIT_CODE of a
container, set by the task definition or by RunTask's overrides.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.services import ecs

from sm2a_local_aws.ecs import lookup
from sm2a_local_aws.patching.points import relies_on, replaces

EXIT_CODE_VARIABLE = "SM2A_LOCAL_AWS_EXIT_CODE"
RUN_SECONDS = 0.2
# Each says how many seconds more.
longer: list[Callable[[], float]] = []

relies_on(
    "ministack.services.ecs",
    {
        "_mark_task_stopped": "09bac9c1c8d0",
    },
)


@replaces("ministack.services.ecs:_get_docker", "a161d31a7eef")
def get_docker(_original: Callable[[], Any]) -> None:
    """There is no engine: do not look for one."""


@replaces("ministack.services.ecs:_run_task", "6e96d8f5a5b8")
def run_task(original: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    """Let one-off tasks run for a moment, then stop them as if their containers had exited."""
    response = original(data)
    status, _headers, body = response
    if status == 200:
        for view in json.loads(body)["tasks"]:
            task = ecs._tasks.get(view["taskArn"])
            if lookup.service_name(task) is None:
                spawn_background(_finish, task, thread_name="sm2a-one-off-task")
    return response


def _finish(task: dict[str, Any]) -> None:
    threading.Event().wait(RUN_SECONDS + sum(seconds() for seconds in longer))
    containers = {container["name"]: container for container in task["containers"]}
    for definition in lookup.task_definition_of(task).get("containerDefinitions", []):
        containers[definition["name"]]["exitCode"] = _exit_code(definition, task)
    ecs._mark_task_stopped(
        task["taskArn"], task, "Essential container in task exited", "EssentialContainerExited", exit_code=0
    )


def _exit_code(definition: dict[str, Any], task: dict[str, Any]) -> int:
    environment = {item["name"]: item["value"] for item in definition.get("environment", [])}
    for override in (task.get("overrides") or {}).get("containerOverrides", []):
        if override.get("name") == definition["name"]:
            environment.update({item["name"]: item["value"] for item in override.get("environment", [])})
    return int(environment.get(EXIT_CODE_VARIABLE, "0"))
