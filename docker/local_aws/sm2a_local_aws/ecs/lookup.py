# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Finding ECS records of MiniStack: a task's service, a service's tasks, every task of every account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ministack.services import ecs

SERVICE_GROUP = "service:"
# By which a container says what task it is of, as the ECS agent has it.
TASK_LABEL = "com.amazonaws.ecs.task-arn"


def cluster_name(record: dict[str, Any]) -> str:
    """The cluster's name of a task or service."""
    return str(record["clusterArn"]).rsplit("/", 1)[-1]


def service_name(task: dict[str, Any]) -> str | None:
    """The name of the service that started the task, None for a one-off task."""
    group = str(task.get("group") or "")
    return group.removeprefix(SERVICE_GROUP) if group.startswith(SERVICE_GROUP) else None


def service_key(task: dict[str, Any]) -> str | None:
    """The key of the task's service in MiniStack's table."""
    name = service_name(task)
    return None if name is None else f"{cluster_name(task)}/{name}"


def service_of(task: dict[str, Any]) -> dict[str, Any] | None:
    """The task's service; None for a one-off task."""
    key = service_key(task)
    return None if key is None else ecs._services.get(key)


def tasks_of(service: dict[str, Any]) -> list[dict[str, Any]]:
    """The service's tasks that were not told to stop."""
    group = SERVICE_GROUP + service["serviceName"]
    return [
        task
        for task in list(ecs._tasks.values())
        if task.get("group") == group
        and task["clusterArn"] == service["clusterArn"]
        and task["lastStatus"] in ecs._PRE_STOP_STATUSES
        and task["desiredStatus"] != "STOPPED"
    ]


def all_tasks() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(account id, region, task) of every task."""
    for (account_id, region, _arn), task in list(ecs._tasks.all_items()):
        yield account_id, region, task


def task_definition_of(task: dict[str, Any]) -> dict[str, Any]:
    """The task's definition; empty when it was deleted."""
    definition: dict[str, Any] = ecs._task_defs.get(task["taskDefinitionArn"].rsplit("/", 1)[-1]) or {}
    return definition
