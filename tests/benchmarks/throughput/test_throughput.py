# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Our broker against Redis: the same image and workers on one and the other in turn, on one deployed stack."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ansible_collections.sm2a.airflow.tests.benchmarks.throughput import cpu, slots
from ansible_collections.sm2a.airflow.tests.benchmarks.throughput.brokers import Brokers
from ansible_collections.sm2a.airflow.tests.benchmarks.throughput.conftest import CONCURRENCY, DAG, WORKERS
from ansible_collections.sm2a.airflow.tests.benchmarks.throughput.legs import Conditions, Leg, leg, write
from ansible_collections.sm2a.airflow.tests.benchmarks.throughput.report import (
    GOAL,
    REDIS,
    SQS,
    WORKS,
    comparisons,
    table,
)
from ansible_collections.sm2a.airflow.tests.support.stack import engine, local_aws_api, watch
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.settings import ARTIFACTS, LOCAL_AWS_STATE, NAME

# Fewer while working on it.
TASKS = int(os.environ.get("SM2A_THROUGHPUT_TASKS", "500"))
ROUNDS = int(os.environ.get("SM2A_THROUGHPUT_ROUNDS", "2"))
SLOTS = WORKERS * CONCURRENCY
WARM_UP, COUNTED = 2 * SLOTS, 40
COMPONENTS = {"scheduler": "scheduler", "workers": "worker-default", "api-server": "api-server", "Redis": "redis"}
CALLS = ("SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch")
LEG_SECONDS = 1800


def used_cpu() -> dict[str, float]:
    """Seconds of CPU so far, by component."""
    seconds = {name: cpu.of_containers(engine.containers(NAME, service)) for name, service in COMPONENTS.items()}
    return seconds | {"local AWS": cpu.of_processes(engine.processes(LOCAL_AWS_STATE))}


def run(airflow: AirflowApi, tasks: int, seconds: float) -> str:
    """A finished run of the DAG."""
    name = airflow.trigger(DAG, {"tasks": tasks, "seconds": seconds})
    assert airflow.wait_for_run(DAG, name, LEG_SECONDS) == "success"
    return name


def empty_slots(stack: Stack, since: datetime) -> list[float]:
    """Seconds that slots of all workers were empty between two tasks since then."""
    pages = (
        stack.aws("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/sm2a/{NAME}/worker", startTime=int(since.timestamp() * 1000))
    )
    lines = defaultdict(list)
    for page in pages:
        for event in page["events"]:
            lines[event["logStreamName"]].append(event["message"])
    return [seconds for worker in lines.values() for seconds in slots.empty_seconds(worker)]


def measured(stack: Stack, airflow: AirflowApi, broker: str, work: str) -> Leg:
    """One leg, on workers that have run a task before."""
    run(airflow, WARM_UP, 0)
    before = used_cpu()
    name = run(airflow, TASKS, WORKS[work])
    spent = cpu.used(before, used_cpu())
    triggered = datetime.fromisoformat(airflow.call("GET", f"dags/{DAG}/dagRuns/{name}")["queued_at"])
    empty = empty_slots(stack, triggered)
    return leg(Conditions(broker, work, SLOTS), triggered, airflow.every_task(DAG, name), empty, spent)


def counted_calls(stack: Stack, airflow: AirflowApi) -> dict[str, float]:
    """Calls of SQS a task, of a run that is not measured: keeping the trail of them takes time."""
    local_aws_api.record_calls()
    since = datetime.now(UTC) - timedelta(seconds=1)
    run(airflow, COUNTED, 0)
    # And the one that plans.
    return {name: round(len(watch.calls(stack.aws, name, since)) / (COUNTED + 1), 2) for name in CALLS}


def conditions() -> Mapping[str, object]:
    """What the figures hold for."""
    return {"tasks": TASKS, "rounds": ROUNDS, "workers": WORKERS, "slots": SLOTS, "processors": os.cpu_count()}


def test_our_broker_is_about_as_fast_as_redis(stack: Stack, airflow: AirflowApi, say: Say) -> None:
    brokers = Brokers(stack)
    legs: list[Leg] = []
    for number in range(ROUNDS):
        # Whatever the machine does over time strikes both alike.
        for broker in (SQS, REDIS) if number % 2 == 0 else (REDIS, SQS):
            brokers.use(broker)
            for work in WORKS:
                legs.append(measured(stack, airflow, broker, work))
                say(f"{broker}, {work}: {legs[-1]}")
                write(ARTIFACTS / "throughput.json", legs, {}, conditions())
    brokers.use(SQS)
    calls = counted_calls(stack, airflow)
    write(ARTIFACTS / "throughput.json", legs, calls, conditions())
    found = comparisons(legs)
    say("\n" + table(found))
    assert all(item.tasks_a_second >= GOAL for item in found), table(found)
