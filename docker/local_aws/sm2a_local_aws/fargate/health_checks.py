# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Container health checks: run in the container at their interval, shown as healthStatus, acted on by the service.

They run here, not in the engine, for podman needs systemd for its own.
"""

from __future__ import annotations

import concurrent.futures
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from docker.errors import DockerException
from ministack.core.concurrency import spawn_background
from ministack.services import ecs
from requests.exceptions import RequestException

from sm2a_local_aws.ecs import lookup as ecs_lookup
from sm2a_local_aws.ecs import steady as ecs_steady
from sm2a_local_aws.fargate import stop

logger = logging.getLogger("sm2a.ecs_health")

Task = dict[str, Any]

HEALTHY, UNHEALTHY, UNKNOWN = "HEALTHY", "UNHEALTHY", "UNKNOWN"


@dataclass(frozen=True)
class HealthCheck:
    """A container definition's healthCheck; times in seconds."""

    command: list[str]
    interval: float
    timeout: float
    retries: int
    start_period: float

    @classmethod
    def of(cls, definition: dict[str, Any]) -> HealthCheck | None:
        """The definition's check; None when its command is NONE."""
        check = definition["healthCheck"]
        kind, *rest = check["command"]
        if kind == "NONE":
            return None
        if kind == "CMD-SHELL":
            command = ["/bin/sh", "-c", " ".join(rest)]
        else:
            command = rest if kind == "CMD" else check["command"]
        return cls(
            command=command,
            interval=float(check.get("interval") or 30),
            timeout=float(check.get("timeout") or 5),
            retries=int(check.get("retries") or 3),
            start_period=float(check.get("startPeriod") or 0),
        )


def status(task: Task, container: str) -> str:
    """The container's healthStatus."""
    return str(next(record["healthStatus"] for record in task["containers"] if record["name"] == container))


def watch(client: Any, task: Task, definition: dict[str, Any], container_id: str) -> None:
    """Check the container for as long as its task lives."""
    check = HealthCheck.of(definition)
    if check is not None:
        name = definition["name"]
        spawn_background(_watch, client, task, name, check, container_id, thread_name=f"sm2a-health-{name}")


def _watch(client: Any, task: Task, name: str, check: HealthCheck, container_id: str) -> None:
    started, failures = time.monotonic(), 0
    while ecs._task_is_active(task["taskArn"], task):
        threading.Event().wait(check.interval)
        if not ecs._task_is_active(task["taskArn"], task):
            return
        if _passes(client, check, container_id):
            failures = 0
            _set(task, name, HEALTHY)
        elif time.monotonic() - started > check.start_period:
            failures += 1
            if failures >= check.retries:
                _set(task, name, UNHEALTHY)


def _passes(client: Any, check: HealthCheck, container_id: str) -> bool:
    """Whether the command ended with 0 within its time."""

    def run() -> int:
        command = client.api.exec_create(container_id, check.command)["Id"]
        client.api.exec_start(command)
        return int(client.api.exec_inspect(command)["ExitCode"])

    executor = concurrent.futures.ThreadPoolExecutor(max_workers=1)
    try:
        return executor.submit(run).result(timeout=check.timeout) == 0
    except (DockerException, RequestException, TimeoutError, TypeError):
        return False
    finally:
        executor.shutdown(wait=False)


def _set(task: Task, name: str, new: str) -> None:
    record = next(record for record in task["containers"] if record["name"] == name)
    if record["healthStatus"] == new:
        return
    record["healthStatus"] = new
    task["healthStatus"] = _task_status(task)
    if task["healthStatus"] == UNHEALTHY:
        _replace_unhealthy(task)
    elif task["healthStatus"] == HEALTHY:
        ecs_steady.confirm(task)


def _task_status(task: Task) -> str:
    """A task is as healthy as its essential containers that have a check."""
    definitions = ecs_lookup.task_definition_of(task).get("containerDefinitions", [])
    checked = [d["name"] for d in definitions if d.get("healthCheck") and d.get("essential", True)]
    states = {status(task, name) for name in checked}
    for state in (UNHEALTHY, UNKNOWN):
        if state in states:
            return state
    return HEALTHY if states else UNKNOWN


def _replace_unhealthy(task: Task) -> None:
    """A service replaces an unhealthy task; a one-off task continues, as on ECS."""
    if ecs_lookup.service_key(task) is None:
        return
    logger.info("task %s failed its container health checks", task["taskArn"])
    if stop.begin(task, "Task failed container health checks", "ServiceSchedulerInitiated"):
        ecs._record_service_task_failure(task)
