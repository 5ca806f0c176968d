# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What CloudWatch gets to know of a running environment, and what it makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll
from ansible_collections.sm2a.airflow.tests.support.stack.settings import NAME

pytestmark = pytest.mark.chain("stack")

DAG = "sm2a_smoke"
# Watched and well in an environment that runs.
HEALTHY_ALARMS = (
    "autoscaler-silent",
    "dead-letter-queue",
    "no-healthy-api-server",
    "queue-default-waiting",
    "scheduler-heartbeat",
    "database-cpu",
    "database-connections",
    "service-scheduler-below-desired",
    "service-api-server-memory",
)

TOGETHER: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Minimum": min, "Maximum": max}


def statistic(stack: Stack, namespace: str, metric: str, name: str, **dimensions: str) -> float | None:
    """One statistic of a metric over the last two hours, minute by minute put together; None without data."""
    now = datetime.now(UTC)
    points = stack.aws("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=2),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=[name],
    )["Datapoints"]
    return TOGETHER[name]([float(point[name]) for point in points]) if points else None


def alarms(stack: Stack) -> dict[str, dict[str, Any]]:
    """The environment's alarms by their names without the environment."""
    found = stack.aws("cloudwatch").describe_alarms(AlarmNamePrefix=f"{NAME}/", MaxRecords=100)["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix(f"{NAME}/"): alarm for alarm in found}


def finished_run(airflow: AirflowApi) -> str:
    """The id of a successful run of the smoke DAG: one of the end-to-end test, or a new one."""
    airflow.wait_for_dag(DAG)
    runs = airflow.call("GET", f"dags/{DAG}/dagRuns", params={"state": "success"})["dag_runs"]
    run = str(runs[0]["dag_run_id"]) if runs else airflow.trigger(DAG)
    assert airflow.wait_for_run(DAG, run, 600) == "success"
    return run


def test_the_tasks_of_a_dag_are_metrics(stack: Stack, airflow: AirflowApi, say: Say) -> None:
    wanted = len(airflow.tasks(DAG, finished_run(airflow)))

    def successes() -> float:
        return statistic(stack, "SM2A/Airflow", "ti_successes", "Sum", Environment=NAME, dag_id=DAG) or 0

    # The sidecars write once a minute.
    assert poll(successes, 90, lambda count: count >= wanted) >= wanted, f"{successes()} of {wanted} successes arrived"
    assert statistic(stack, "SM2A/Airflow", "scheduler_heartbeat", "Sum", Environment=NAME)
    assert statistic(stack, "SM2A/Airflow", "task.duration", "Maximum", Environment=NAME)
    say(f"CloudWatch has {successes():.0f} successes of the smoke DAG")


def test_what_is_well_is_no_alarm(stack: Stack) -> None:
    def not_ok() -> dict[str, str]:
        found = alarms(stack)
        return {name: found[name]["StateReason"] for name in HEALTHY_ALARMS if found[name]["StateValue"] != "OK"}

    assert poll(not_ok, 60, lambda found: not found) == {}
    age = statistic(stack, "SM2A/Autoscaler", "SchedulerHeartbeatAge", "Minimum", Environment=NAME)
    assert age is not None, "nobody reports the scheduler's heartbeat"
    assert age < 60
    dimensions = {"ClusterName": NAME, "ServiceName": "api-server"}
    memory = statistic(stack, "AWS/ECS", "MemoryUtilization", "Maximum", **dimensions)
    assert memory is not None, "nobody reports the memory of the web servers"
    assert 5 < memory < 90


def test_a_message_that_was_given_up_is_an_alarm_until_it_is_gone(stack: Stack, say: Say) -> None:
    sqs = stack.aws("sqs")
    url = sqs.get_queue_url(QueueName=f"{NAME}-dead-letter")["QueueUrl"]

    def in_state(state: str) -> bool:
        return bool(alarms(stack)["dead-letter-queue"]["StateValue"] == state)

    sqs.send_message(QueueUrl=url, MessageBody="given up")
    started = time.monotonic()
    try:
        assert poll(lambda: in_state("ALARM"), 30), "the alarm did not fire"
        say(f"the alarm of the dead-letter queue fired after {time.monotonic() - started:.0f} s")
    finally:
        sqs.purge_queue(QueueUrl=url)
