# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Pure parts of the benchmark of the broker: figures of a leg, their comparison, and the two task definitions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.benchmarks.throughput import brokers, cpu, slots
from ansible_collections.sm2a.airflow.tests.benchmarks.throughput.legs import Conditions, Leg, leg, read, write
from ansible_collections.sm2a.airflow.tests.benchmarks.throughput.report import REDIS, SQS, comparisons, table

TRIGGERED = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
ON_SQS = Conditions(SQS, "nothing", slots=2)


def instance(task: str, queued: int, start: int, end: int, state: str = "success") -> dict[str, Any]:
    """One of Airflow's API; seconds since the trigger."""
    times = {"queued_when": queued, "start_date": start, "end_date": end}
    return {"task_id": task, "state": state, **{name: f"2026-01-01T00:00:{at:02}Z" for name, at in times.items()}}


RUN = [instance("plan", 1, 2, 3), instance("work", 4, 5, 7), instance("work", 4, 6, 8), instance("work", 6, 10, 14)]


def test_figures_of_a_leg_come_from_the_times_of_its_tasks() -> None:
    found = leg(ON_SQS, TRIGGERED, RUN, [0.5, 0.1, 0.2], {"workers": 1.5, "scheduler": 3.0})
    assert (found.tasks, found.first_task_seconds, found.seconds, found.last_seconds) == (3, 2, 10, 8)
    assert found.empty_seconds == 0.2
    assert found.busy == 8 / (2 * 10)
    assert found.tasks_a_second == 0.3
    assert found.cpu_a_task(["workers", "scheduler", "unknown"]) == 1.5


def test_a_task_that_failed_is_no_figure() -> None:
    with pytest.raises(ValueError, match="failed"):
        leg(ON_SQS, TRIGGERED, [*RUN, instance("work", 4, 5, 6, "failed")], [0.1], {})


@pytest.fixture
def legs() -> list[Leg]:
    """Two rounds, 3 and 4 tasks a second on ours and 5 on Redis."""
    ours = Leg(SQS, "nothing", 60, 1.0, 20.0, 5.0, 0.2, 0.5, {"workers": 6.0, "api-server": 6.0, "local AWS": 3.0})
    redis = replace(ours, broker=REDIS, seconds=12.0, cpu={"workers": 6.0, "api-server": 5.0, "Redis": 0.6})
    return [ours, redis, redis, replace(ours, seconds=15.0)]


def test_ratio_is_that_of_the_medians_and_has_a_spread(legs: list[Leg]) -> None:
    (found,) = comparisons(legs)
    assert found.tasks_a_second == pytest.approx(3.5 / 5)
    assert found.spread("tasks a second") == pytest.approx((3 / 5, 4 / 5))
    assert "0.60 to 0.80" in table([found])


def test_what_is_measured_is_kept(legs: list[Leg], tmp_path: Path) -> None:
    file = tmp_path / "artifacts/throughput.json"
    write(file, legs, {"SendMessage": 1.0}, {"tasks": 60})
    assert read(file) == (legs, {"SendMessage": 1.0}, {"tasks": 60})


def test_a_slot_is_empty_from_the_end_of_a_task_to_the_next_message() -> None:
    said = [
        (1.0, "received"),
        (1.0, "received"),
        (3.0, "succeeded"),
        (3.25, "succeeded"),
        (3.5, "received"),
        (4.25, "received"),
        (9.0, "succeeded"),
    ]
    lines = [f"2026-01-01T00:00:0{at}Z [info] Task execute_workload[{id(at)}] {what} [celery]" for at, what in said]
    assert slots.empty_seconds(["an error without a time", *reversed(lines)]) == [0.5, 1.0]


DEFINITION: dict[str, Any] = {
    "family": "stack-worker-default",
    "taskDefinitionArn": "arn:worker:1",
    "revision": 1,
    "status": "ACTIVE",
    "cpu": "1024",
    "containerDefinitions": [
        {
            "name": "worker",
            "image": "image@sha256:1",
            "command": ["airflow", "celery", "worker"],
            "healthCheck": {"command": ["CMD", "check"]},
            "environment": [
                {"name": "AIRFLOW__CELERY__BROKER_URL", "value": "sqs://"},
                {"name": "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER", "value": "1"},
                {"name": "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT", "value": "3600"},
                {"name": "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__PREDEFINED_QUEUES", "value": "{}"},
            ],
        }
    ],
}


def test_on_redis_a_component_differs_in_nothing_but_the_broker() -> None:
    definition = brokers.on_redis(DEFINITION, "redis://10.0.0.5:6379/0")
    assert (definition["family"], definition["cpu"]) == ("stack-worker-default", "1024")
    assert not {"taskDefinitionArn", "revision", "status"} & set(definition)
    (container,) = definition["containerDefinitions"]
    (before,) = DEFINITION["containerDefinitions"]
    assert {**container, "environment": None} == {**before, "environment": None}
    assert {entry["name"]: entry["value"] for entry in container["environment"]} == {
        "AIRFLOW__CELERY__BROKER_URL": "redis://10.0.0.5:6379/0",
        "AIRFLOW__CELERY__CELERY_CONFIG_OPTIONS": "redis_broker.CELERY_CONFIG",
        "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "3600",
    }


def test_redis_runs_in_the_same_image_without_a_health_check() -> None:
    (server,) = brokers.redis_server(DEFINITION)["containerDefinitions"]
    assert (server["name"], server["image"], server["environment"]) == ("redis", "image@sha256:1", [])
    assert server["command"][0] == "redis-server"
    assert "healthCheck" not in server


@pytest.mark.parametrize(
    ("lines", "controller", "path"),
    [
        ("5:cpu,cpuacct:/libpod/1\n1:name=systemd:/x\n", "cpuacct", "/libpod/1"),
        ("0::/machine/libpod-1.scope\n", "cpuacct", None),
        ("0::/machine/libpod-1.scope\n", "", "/machine/libpod-1.scope"),
    ],
)
def test_cgroup_of_a_process(lines: str, controller: str, path: str | None) -> None:
    assert cpu.cgroup_path(lines, controller) == path


def test_cpu_time_of_a_process_whose_name_has_spaces_and_brackets() -> None:
    assert cpu.ticks_of("42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 700 30 0 0") == 730
