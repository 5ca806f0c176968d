# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Local AWSs to test against: one without an engine, one with an engine (SM2A_ENGINE_SOCKET, else one of the tests)."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tests.unit.local_aws.private_engine import private_engine

ENGINE_VARIABLE = "SM2A_ENGINE_SOCKET"
CLUSTER = "tests"
LOG_GROUP = "/tests"
EXECUTION_ROLE = "arn:aws:iam::000000000000:role/execution"
IMAGE = "localhost/sm2a/debian:trixie"
ACCOUNT_FILE = "account.json"


@dataclass
class LocalAws:
    """A served local AWS, driven as its users do: by the command line and by boto3."""

    name: str
    port: int
    state_directory: Path
    flags: list[str]
    clients: dict[str, Any] = field(default_factory=dict)

    def command(self, verb: str, *flags: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        named = ["--name", self.name, "--port", str(self.port), "--state-directory", str(self.state_directory)]
        arguments = [sys.executable, "-m", "sm2a_local_aws", verb, *named, *(flags or self.flags)]
        return subprocess.run(arguments, capture_output=True, text=True, timeout=timeout, check=False)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{self.port}",
                region_name="eu-west-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
        return self.clients[service]

    def task_definition(
        self, family: str, *more_containers: dict[str, Any], task_role: str = "", **container: Any
    ) -> str:
        """Register a definition whose first container is `main`, a shell unless told otherwise; its ARN."""
        options = {"awslogs-group": LOG_GROUP, "awslogs-stream-prefix": family, "awslogs-region": "eu-west-1"}
        main = {
            "name": "main",
            "image": IMAGE,
            "stopTimeout": 2,
            "logConfiguration": {"logDriver": "awslogs", "options": options},
            **container,
        }
        answer = self.client("ecs").register_task_definition(
            family=family,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            executionRoleArn=EXECUTION_ROLE,
            cpu="256",
            memory="512",
            containerDefinitions=[main, *({"image": IMAGE, **other} for other in more_containers)],
            volumes=[{"name": "shared"}],
            **({"taskRoleArn": task_role} if task_role else {}),
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def task_role(self, name: str, *statements: dict[str, Any]) -> str:
        """Make a role for tasks that may do what the statements say; its ARN."""
        trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        documents = [json.dumps({"Version": "2012-10-17", "Statement": one}) for one in ([trust], list(statements))]
        iam = self.client("iam")
        arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=documents[0])["Role"]["Arn"])
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=documents[1])
        return arn

    def run_task(self, definition: str, **options: Any) -> str:
        answer = self.client("ecs").run_task(
            cluster=CLUSTER, taskDefinition=definition, launchType="FARGATE", **options
        )
        return str(answer["tasks"][0]["taskArn"])

    def create_service(self, name: str, definition: str, count: int, **options: Any) -> None:
        self.client("ecs").create_service(
            cluster=CLUSTER,
            serviceName=name,
            taskDefinition=definition,
            desiredCount=count,
            launchType="FARGATE",
            **options,
        )

    def task(self, arn: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.client("ecs").describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]
        return answer

    def service(self, name: str) -> dict[str, Any]:
        answer = self.client("ecs").describe_services(cluster=CLUSTER, services=[name])
        service: dict[str, Any] = answer["services"][0]
        return service

    def tasks_of(self, service: str, status: str = "RUNNING") -> set[str]:
        answer = self.client("ecs").list_tasks(cluster=CLUSTER, serviceName=service, desiredStatus=status)
        return set(answer["taskArns"])

    def wait(self, what: str, condition: Callable[[], Any], timeout: float = 120) -> Any:
        """The first true answer of the condition."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            answer = condition()
            if answer:
                return answer
            time.sleep(0.2)
        raise AssertionError(f"{what}: not within {timeout} s; the last answer was {answer!r}")

    def wait_for_task(self, arn: str, status: str) -> dict[str, Any]:
        self.wait(f"task {status}", lambda: self.task(arn)["lastStatus"] == status)
        return self.task(arn)

    def wait_for_steady(self, name: str, count: int) -> dict[str, Any]:
        def steady() -> bool:
            service = self.service(name)
            primary = next(item for item in service["deployments"] if item["status"] == "PRIMARY")
            return bool(primary["rolloutState"] == "COMPLETED" and service["runningCount"] == count)

        self.wait(f"service {name} steady with {count} tasks", steady)
        return self.service(name)

    def log_lines(self, family: str, task_arn: str, container: str = "main") -> list[str]:
        stream = f"{family}/{container}/{task_arn.rsplit('/', 1)[-1]}"
        logs = self.client("logs")
        try:
            events = logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True)
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events["events"]]


def _started(local_aws: LocalAws) -> Iterator[LocalAws]:
    started = local_aws.command("start")
    assert started.returncode == 0, started.stderr
    local_aws.client("ecs").create_cluster(clusterName=CLUSTER)
    local_aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
    try:
        yield local_aws
    finally:
        stopped = local_aws.command("stop")
        assert stopped.returncode == 0, stopped.stderr


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS without a container engine."""
    directory = tmp_path_factory.mktemp("control_plane")
    yield from _started(LocalAws("test-control", free_port(), directory, ["--control-plane-only"]))


@pytest.fixture(scope="session")
def aws_with_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS without a container engine whose account differs from others as `account` says."""
    directory = tmp_path_factory.mktemp("account")
    (directory / ACCOUNT_FILE).write_text("{}")
    flags = ["--control-plane-only", "--account", str(directory / ACCOUNT_FILE)]
    yield from _started(LocalAws("test-account", free_port(), directory / "state", flags))


@pytest.fixture
def account(aws_with_account: LocalAws) -> Iterator[Callable[..., None]]:
    """Say how the account differs until the end of the test: parts of the file by name."""
    file = aws_with_account.state_directory.parent / ACCOUNT_FILE

    def say(**parts: dict[str, Any]) -> None:
        file.write_text(json.dumps(parts))

    yield say
    file.write_text("{}")


@pytest.fixture(scope="session")
def engine_socket() -> Iterator[str]:
    """Address of a Docker API."""
    given = os.environ.get(ENGINE_VARIABLE)
    with contextlib.nullcontext(given) if given else private_engine() as address:
        yield str(address)


@pytest.fixture(scope="session")
def local_aws(engine_socket: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS with real containers; its name and subnet are its own, so that it disturbs no other."""
    subnet = f"10.{110 + os.getpid() % 100}.{os.getpid() // 100 % 250}.0/24"
    flags = ["--engine-socket", engine_socket, "--subnet", subnet]
    directory = tmp_path_factory.mktemp("local_aws")
    yield from _started(LocalAws(f"test-{os.getpid()}", free_port(), directory, flags))


@pytest.fixture
def unstarted(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS of the test's own, to start and stop; it is stopped in the end."""
    mine = LocalAws(f"test-own-{os.getpid()}", free_port(), tmp_path / "state", ["--control-plane-only"])
    yield mine
    mine.command("stop")
