# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads of ECS tasks: pages and bounds, and what a task tells of a worker."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sm2a_autoscaler.fleet.ecs_tasks import PAGE_LIMIT, PAGE_SIZE, Worker, read_protection, read_workers, worker

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


class Ecs:
    """A service with so many tasks, in pages of a hundred."""

    def __init__(self, tasks: int) -> None:
        self.tasks = tasks
        self.described: list[int] = []

    def list_tasks(self, cluster: str, serviceName: str, nextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        start = int(nextToken)
        arns = [f"arn/{number}" for number in range(start, min(start + PAGE_SIZE, self.tasks))]
        return {"taskArns": arns} | ({"nextToken": str(start + PAGE_SIZE)} if start + PAGE_SIZE < self.tasks else {})

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        self.described.append(len(tasks))
        return {"tasks": [{"taskArn": arn, "desiredStatus": "RUNNING", "createdAt": CREATED} for arn in tasks]}

    def get_task_protection(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        self.described.append(len(tasks))
        return {"protectedTasks": [{"taskArn": arn, "protectionEnabled": arn == "arn/7"} for arn in tasks]}


@pytest.mark.parametrize(
    ("tasks", "pages"), [(0, []), (100, [100]), (230, [100, 100, 30]), (5000, [PAGE_SIZE] * PAGE_LIMIT)]
)
def test_workers_are_read_in_pages_and_not_without_end(tasks: int, pages: list[int]) -> None:
    ecs = Ecs(tasks)
    assert len(read_workers(ecs, "sm2a", "worker-default")) == sum(pages)
    assert ecs.described == pages


def test_protection_is_read_in_pages() -> None:
    ecs = Ecs(0)
    assert read_protection(ecs, "sm2a", [f"arn/{number}" for number in range(150)]) == {"arn/7": float("inf")}
    assert ecs.described == [100, 50]


def test_a_task_tells_of_its_worker() -> None:
    interface = {"details": [{"name": "subnetId", "value": "s"}, {"name": "privateIPv4Address", "value": "10.0.0.1"}]}
    task: dict[str, Any] = {
        "taskArn": "arn:aws:ecs:eu-west-1:1:task/sm2a/abc",
        "createdAt": CREATED,
        "startedAt": CREATED,
        "lastStatus": "RUNNING",
        "healthStatus": "HEALTHY",
        "attachments": [interface],
    }
    seconds = CREATED.timestamp()
    assert worker(task) == Worker(
        arn=task["taskArn"], created_at=seconds, started_at=seconds, address="10.0.0.1", healthy=True
    )
    assert worker(task).name == "abc"
    assert not worker(task | {"healthStatus": "UNKNOWN"}).healthy
    assert worker(task | {"lastStatus": "ACTIVATING"}).started_at is None
    container = {"networkInterfaces": [{"privateIpv4Address": "10.0.0.2"}]}
    assert worker(task | {"attachments": [], "containers": [container]}).address == "10.0.0.2"
    assert worker(task | {"attachments": []}).address is None


def test_the_tasks_of_a_service_are_those_that_ecs_wants(ecs: Any) -> None:
    cluster = f"test-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(family="worker", containerDefinitions=[{"name": "worker", "image": "worker"}])
    ecs.create_service(cluster=cluster, serviceName="worker-default", taskDefinition="worker", desiredCount=0)
    ecs.run_task(cluster=cluster, taskDefinition="worker")
    assert read_workers(ecs, cluster, "worker-default") == ()


def test_a_new_worker_was_created_just_now(ecs: Any) -> None:
    cluster = f"test-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(family="worker", containerDefinitions=[{"name": "worker", "image": "worker"}])
    ecs.create_service(cluster=cluster, serviceName="worker-default", taskDefinition="worker", desiredCount=2)
    deadline = time.monotonic() + 20
    while len(workers := read_workers(ecs, cluster, "worker-default")) < 2:
        assert time.monotonic() < deadline, "the service has no tasks"
        time.sleep(0.2)
    assert all(abs(worker.created_at - time.time()) < 60 for worker in workers)
