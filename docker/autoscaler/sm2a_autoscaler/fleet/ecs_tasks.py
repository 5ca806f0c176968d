# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the tasks of one ECS service, each of which is a worker: ten pages of a hundred tasks at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PAGE_SIZE = 100  # limit of ListTasks, DescribeTasks and GetTaskProtection
PAGE_LIMIT = 10  # pages read of one service


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One task. Times are seconds since the epoch.

    ``address`` is the IP address under which Airflow records the worker, ``deployment`` the id of the deployment that
    started it.
    """

    arn: str
    created_at: float
    started_at: float | None = None
    address: str | None = None
    healthy: bool = False
    deployment: str = ""

    @property
    def name(self) -> str:
        """The task id, for messages."""
        return self.arn.rpartition("/")[2]


def read_workers(ecs: Any, cluster: str, service: str) -> tuple[Worker, ...]:
    """The tasks with desired status RUNNING. Raises botocore's errors."""
    found: list[Worker] = []
    for arns in _pages(ecs, cluster, service):
        reply = ecs.describe_tasks(cluster=cluster, tasks=arns)
        found += [worker(task) for task in reply["tasks"] if task.get("desiredStatus") == "RUNNING"]
    return tuple(found)


def read_protection(ecs: Any, cluster: str, arns: Sequence[str]) -> Mapping[str, float]:
    """The end of scale-in protection by task ARN, in seconds since the epoch. Raises botocore's errors.

    Unprotected tasks are absent, and so are tasks that ECS no longer knows because they have just ended.
    """
    ends: dict[str, float] = {}
    for start in range(0, len(arns), PAGE_SIZE):
        reply = ecs.get_task_protection(cluster=cluster, tasks=list(arns[start : start + PAGE_SIZE]))
        for item in reply["protectedTasks"]:
            if item.get("protectionEnabled"):
                ends[item["taskArn"]] = _seconds(item.get("expirationDate")) or float("inf")
    return ends


def count_protected(ecs: Any, cluster: str, service: str) -> int:
    """The number of tasks of a service that hold scale-in protection. Raises botocore's errors."""
    return sum(len(read_protection(ecs, cluster, arns)) for arns in _pages(ecs, cluster, service))


def worker(task: Mapping[str, Any]) -> Worker:
    """Convert one task of a DescribeTasks reply."""
    started = _seconds(task.get("startedAt")) if task.get("lastStatus") == "RUNNING" else None
    return Worker(
        arn=task["taskArn"],
        created_at=_seconds(task.get("createdAt")) or 0.0,
        started_at=started,
        address=_address(task),
        healthy=started is not None and task.get("healthStatus") == "HEALTHY",
        deployment=task.get("startedBy", ""),
    )


def _pages(ecs: Any, cluster: str, service: str) -> Iterator[list[str]]:
    token: dict[str, str] = {}
    for _ in range(PAGE_LIMIT):
        reply = ecs.list_tasks(
            cluster=cluster, serviceName=service, desiredStatus="RUNNING", maxResults=PAGE_SIZE, **token
        )
        if reply["taskArns"]:
            yield reply["taskArns"]
        if not reply.get("nextToken"):
            return
        token = {"nextToken": reply["nextToken"]}


def _address(task: Mapping[str, Any]) -> str | None:
    """The address of the task's network interface."""
    for attachment in task.get("attachments", ()):
        for detail in attachment.get("details", ()):
            if detail.get("name") == "privateIPv4Address" and detail.get("value"):
                return str(detail["value"])
    for container in task.get("containers", ()):
        for interface in container.get("networkInterfaces", ()):
            if interface.get("privateIpv4Address"):
                return str(interface["privateIpv4Address"])
    return None


def _seconds(value: datetime | float | None) -> float | None:
    return value.timestamp() if isinstance(value, datetime) else value
