# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole program as a process: real PostgreSQL, emulated AWS, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.postgres import Postgres

COMMAND = [sys.executable, "-m", "sm2a_autoscaler"]
Lines = list[dict[str, Any]]


class Environment:
    """A deployed environment with one worker group, and the variables of an autoscaler for it."""

    def __init__(self, ecs: Any, cluster: str, variables: dict[str, str]) -> None:
        self.ecs = ecs
        self.cluster = cluster
        self.variables = variables
        self.health_file = Path(variables["SM2A_AUTOSCALER_HEALTH_FILE"])
        self.processes: list[subprocess.Popen[str]] = []

    def size(self) -> int:
        """The desired count of the worker service."""
        reply = self.ecs.describe_services(cluster=self.cluster, services=["worker-default"])
        return int(reply["services"][0]["desiredCount"])

    def once(self, *arguments: str) -> tuple[int, Lines]:
        """Exit code and log lines of one tick."""
        result = subprocess.run(
            [*COMMAND, "--once", *arguments],
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert result.stderr == ""
        return result.returncode, [json.loads(line) for line in result.stdout.splitlines()]

    def start(self) -> subprocess.Popen[str]:
        """A running autoscaler."""
        process = subprocess.Popen(COMMAND, env=self.variables, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process


@pytest.fixture
def environment(ecs: Any, sqs: Any, secrets_manager: Any, postgres: Postgres, tmp_path: Path) -> Iterator[Environment]:
    cluster = f"test-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(family="worker", containerDefinitions=[{"name": "w", "image": "w"}])
    ecs.create_service(cluster=cluster, serviceName="worker-default", taskDefinition="worker", desiredCount=1)
    secrets_manager.create_secret(Name=f"{cluster}/uri", SecretString=postgres.uri())
    group = {
        "name": "default",
        "queue": "default",
        "queue_url": sqs.create_queue(QueueName=f"{cluster}-default")["QueueUrl"],
        "service": "worker-default",
        "concurrency": 4,
        "min": 1,
        "max": 5,
    }
    variables = os.environ | {
        "SM2A_AUTOSCALER_CLUSTER": cluster,
        "SM2A_AUTOSCALER_DATABASE_SECRET": f"{cluster}/uri",
        "SM2A_AUTOSCALER_WORKER_GROUPS": json.dumps([group]),
        "SM2A_AUTOSCALER_TICK_SECONDS": "1",
        "SM2A_AUTOSCALER_HOLD_SECONDS": "3",
        "SM2A_AUTOSCALER_HEALTH_FILE": str(tmp_path / "alive"),
    }
    subject = Environment(ecs, cluster, variables)
    yield subject
    for process in subject.processes:
        process.kill()
        process.wait()


def read_until(process: subprocess.Popen[str], event: str, **fields: Any) -> dict[str, Any]:
    """The first line with this event and these fields."""
    assert process.stdout is not None
    deadline = time.monotonic() + 30
    for text in process.stdout:
        line: dict[str, Any] = json.loads(text)
        if line.get("event") == event and all(line.get(name) == value for name, value in fields.items()):
            return line
        assert time.monotonic() < deadline, f"no line {event} {fields}"
    raise AssertionError(f"the process ended before the line {event} {fields}")


def test_settings_errors_name_the_variable_and_end_the_program() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "AWS_REGION"}
    result = subprocess.run([*COMMAND, "--once"], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "AWS_REGION is not set" in result.stderr.splitlines()
    assert "SM2A_AUTOSCALER_CLUSTER is not set" in result.stderr.splitlines()


def test_one_tick_sets_the_size_and_a_dry_run_does_not(environment: Environment, postgres: Postgres) -> None:
    postgres.set_tasks(("default", "queued", "", 9), ("default", "running", "10.0.0.1", 2))
    code, lines = environment.once("--dry-run")
    tick = next(line for line in lines if line["event"] == "tick")
    assert (code, tick["groups"][0]["desired"], environment.size()) == (0, 3, 1)
    code, lines = environment.once()
    assert (code, environment.size()) == (0, 3)
    assert not environment.health_file.exists(), "a tick by hand is none of the running instance"


def test_a_missing_service_is_held_and_the_exit_code_says_so(environment: Environment) -> None:
    environment.ecs.delete_service(cluster=environment.cluster, service="worker-default", force=True)
    code, lines = environment.once()
    assert code == 1
    tick = next(line for line in lines if line.get("event") == "tick")
    assert "ECS service worker-default does not exist" in tick["problems"][0]


def test_no_line_contains_the_password(environment: Environment) -> None:
    environment.variables["SM2A_AUTOSCALER_DATABASE_SECRET"] = "nowhere"
    assert environment.once()[0] == 3
    _, lines = environment.once("--dry-run")
    assert "p@ss" not in json.dumps(lines)
    assert "p%40ss" not in json.dumps(lines)


def test_it_follows_the_load_stands_by_and_hands_over_on_sigterm(environment: Environment, postgres: Postgres) -> None:
    postgres.set_tasks(("default", "queued", "", 20))
    first = environment.start()
    read_until(first, "tick", role="active")
    assert environment.size() == 5
    # A tick is recorded when it is over, which is after its line.
    deadline = time.monotonic() + 10
    while not environment.health_file.exists():
        assert time.monotonic() < deadline, "the tick was not recorded"
        time.sleep(0.05)

    second = environment.start()
    assert "another instance" in read_until(second, "tick", role="standby")["reason"]
    assert environment.once()[0] == 3

    postgres.set_tasks()
    deadline = time.monotonic() + 20
    while environment.size() > 1:
        assert time.monotonic() < deadline, "not scaled in"
        time.sleep(0.2)

    first.send_signal(signal.SIGTERM)
    stopped = read_until(first, "stop")
    assert stopped["reason"] == "received a stop signal"
    assert first.wait(10) == 0
    read_until(second, "tick", role="active")
    second.send_signal(signal.SIGINT)
    assert second.wait(10) == 0
