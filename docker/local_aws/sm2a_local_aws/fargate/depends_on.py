# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""`dependsOn`: the order in which a task's containers start, and what each waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ministack.services import ecs

from sm2a_local_aws.ecs.lookup import TASK_LABEL
from sm2a_local_aws.fargate import health_checks
from sm2a_local_aws.patching.points import replaces

POLL_SECONDS = 0.3


def ordered(task_definition: dict[str, Any]) -> dict[str, Any]:
    """A copy of the definition whose containers come after those that they depend on."""
    waiting = list(task_definition["containerDefinitions"])
    done: list[dict[str, Any]] = []
    while waiting:
        names = {container["name"] for container in done}
        ready = [c for c in waiting if all(d["containerName"] in names for d in c.get("dependsOn") or [])]
        if not ready:
            raise RuntimeError(f"dependsOn is a circle between {', '.join(c['name'] for c in waiting)}")
        done.append(ready[0])
        waiting.remove(ready[0])
    return {**task_definition, "containerDefinitions": done}


def reorder_task(task: dict[str, Any], task_definition: dict[str, Any]) -> None:
    """Put the task's own container records in the definition's order, for MiniStack matches them by position."""
    by_name = {container["name"]: container for container in task["containers"]}
    definitions = task_definition["containerDefinitions"]
    task["containers"] = [by_name[definition["name"]] for definition in definitions]
    task["_container_essentials"] = [bool(definition.get("essential", True)) for definition in definitions]
    task["_containers_by_name"] = {}


@replaces("ministack.services.ecs:_run_docker_container", "9630f0c32368", over=("fargate.images",))
def run_docker_container(
    original: Callable[..., Any], client: Any, definition: dict[str, Any], run_options: dict[str, Any], **options: Any
) -> Any:
    """Wait for the container's dependencies, start it, and watch its health."""
    task_arn = run_options["labels"][TASK_LABEL]
    task = ecs._tasks[task_arn]
    for dependency in definition.get("dependsOn") or []:
        _wait(client, task, dependency["containerName"], dependency.get("condition", "START"))
    container = original(client, definition, run_options, **options)
    task["_containers_by_name"][definition["name"]] = container.id
    if definition.get("healthCheck"):
        health_checks.watch(client, task, definition, container.id)
    return container


def _wait(client: Any, task: dict[str, Any], name: str, condition: str) -> None:
    """Return when the condition holds; RuntimeError when it cannot any more or the task was told to stop."""
    if condition == "START":
        return
    container = client.containers.get(task["_containers_by_name"][name])
    while ecs._task_is_active(task["taskArn"], task):
        container.reload()
        exited = container.status in ("exited", "stopped", "dead")
        exit_code = container.attrs["State"]["ExitCode"] if exited else None
        if exited and (condition == "COMPLETE" or (condition == "SUCCESS" and exit_code == 0)):
            return
        if condition == "HEALTHY" and health_checks.status(task, name) == health_checks.HEALTHY:
            return
        if exited or health_checks.status(task, name) == health_checks.UNHEALTHY:
            what = f"exited with code {exit_code}" if exited else "became unhealthy"
            raise RuntimeError(f"dependency container {name} {what} instead of reaching {condition}")
        threading.Event().wait(POLL_SECONDS)
    raise RuntimeError("the task was stopped while it started")
