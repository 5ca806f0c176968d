# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker groups of the live tests: deployed, loaded, and looked at through what the autoscaler itself reports."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.playbooks import Run, play
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll
from ansible_collections.sm2a.airflow.tests.support.stack.settings import NAME
from ansible_collections.sm2a.airflow.tests.support.stack.task_logs import run_logs
from ansible_collections.sm2a.airflow.tests.support.stack.watch import Sample

DAY_SECONDS = 24 * 3600
HERE = Path(__file__).resolve().parent
DAG = "live_burst"
CONCURRENCY = 4
# Of one group and of another one that scales to zero.
MINIMUM = {"default": 1, "heavy": 0}
GROUPS = tuple(MINIMUM)
MAXIMUM = dict.fromkeys(GROUPS, 3)


def groups(minimum: Mapping[str, int]) -> list[dict[str, Any]]:
    """The groups that ``minimum`` names, each of as many to MAXIMUM workers."""
    size = {"cpu": 1024, "memory": 2048, "concurrency": CONCURRENCY}
    return [
        {"name": name, "queue": name, **size, "min": least, "max": MAXIMUM[name]} for name, least in minimum.items()
    ]


def deploy(say: Say, name: str = "live", minimum: Mapping[str, int] = MINIMUM) -> Run:
    """A run of site.yml with the groups that ``minimum`` names, each with that many workers at least."""
    extra = {
        "airflow_worker_groups": groups(minimum),
        "broker_purge_queues": True,
        "storage_dags_bucket": True,
        "airflow_dags_source": "s3",
        "airflow_dags_refresh_interval": 10,
    }
    run = play(name, ["site.yml"], say, extra=extra, timeout=1500)
    assert run.code == 0, run.end()
    return run


def services(stack: Stack) -> dict[str, dict[str, Any]]:
    """What ECS says of the workers' services, by group."""
    names = [f"worker-{name}" for name in GROUPS]
    found = stack.aws("ecs").describe_services(cluster=NAME, services=names)["services"]
    return {service["serviceName"].removeprefix("worker-"): service for service in found}


def counts(stack: Stack) -> dict[str, tuple[int, int]]:
    """Workers desired and running, by group."""
    return {name: (service["desiredCount"], service["runningCount"]) for name, service in services(stack).items()}


def wait_for_size(stack: Stack, sizes: Mapping[str, int], seconds: float) -> None:
    """Return when every group has just that many workers."""
    wanted = {name: (size, size) for name, size in sizes.items()}
    assert poll(lambda: counts(stack), seconds, lambda found: found == wanted) == wanted, f"after {seconds} s"


def workers(stack: Stack, group: str) -> set[str]:
    """ARNs of the tasks of a group's service."""
    return set(stack.aws("ecs").list_tasks(cluster=NAME, serviceName=f"worker-{group}")["taskArns"])


def draining(stack: Stack, arns: set[str]) -> set[str]:
    """Those that were told to drain: protected for longer than a worker ever protects itself."""
    answer = stack.aws("ecs").get_task_protection(cluster=NAME, tasks=sorted(arns))["protectedTasks"]
    return {
        item["taskArn"] for item in answer if item["protectionEnabled"] and left(item["expirationDate"]) > DAY_SECONDS
    }


def left(until: datetime) -> float:
    """Seconds until then."""
    return (until - datetime.now(UTC)).total_seconds()


@dataclass(frozen=True)
class Burst:
    """One finished run of the DAG. ``drain_seconds``: from its trigger to the end of its last task."""

    run: str
    started: datetime
    drain_seconds: float
    tasks: list[dict[str, Any]]


def finish(airflow: AirflowApi, run: str, started: datetime, seconds: int = 600) -> Burst:
    """Wait for the run's end."""
    state = airflow.wait_for_run(DAG, run, seconds)
    tasks = airflow.tasks(DAG, run)
    assert state == "success", Counter(str(task["state"]) for task in tasks)
    last = max(datetime.fromisoformat(task["end_date"]) for task in tasks)
    return Burst(run, started, round((last - started).total_seconds(), 1), tasks)


def executions(stack: Stack, burst: Burst) -> Counter[str]:
    """How often the logs of the run say that a task was executed, by queue; a minute is given for the last of them."""
    logs = run_logs(stack.aws, burst.run, len(burst.tasks)).values()
    return Counter(re.findall(r"live_burst executed on (\w+)", "\n".join(logs)))


def lines(stack: Stack, since: datetime) -> list[dict[str, Any]]:
    """What the autoscaler has written since then, oldest first: ticks, and lines in the embedded metric format."""
    pages = (
        stack.aws("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/sm2a/{NAME}/autoscaler", startTime=int(since.timestamp() * 1000))
    )
    events = sorted((event for page in pages for event in page["events"]), key=lambda event: event["timestamp"])
    return [json.loads(event["message"]) for event in events if event["message"].startswith("{")]


def ticks(stack: Stack, group: str, since: datetime) -> list[dict[str, Any]]:
    """The autoscaler's records of one group since then, one for each tick."""
    found = [line["groups"] for line in lines(stack, since) if line.get("event") == "tick" and "groups" in line]
    return [record for records in found for record in records if record["group"] == group]


def samples(stack: Stack, group: str, since: datetime) -> list[Sample]:
    """Sizes and tasks of one group over time, from the metrics that the autoscaler emitted."""
    emitted = [line for line in lines(stack, since) if line.get("WorkerGroup") == group and "RunningWorkers" in line]
    return [
        Sample(
            round(line["_aws"]["Timestamp"] / 1000 - since.timestamp(), 1),
            *(int(line[name]) for name in ("WantedWorkers", "RunningWorkers", "QueuedTasks", "RunningTasks")),
        )
        for line in emitted
        if "QueuedTasks" in line
    ]
