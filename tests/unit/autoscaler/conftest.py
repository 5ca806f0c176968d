# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL with Airflow's task table, AWS clients on the emulator, and one worker group that tests share."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.support.emulators import aws_endpoint
from ansible_collections.sm2a.airflow.tests.support.postgres import PASSWORD, Postgres, postgres_server
from sm2a_autoscaler.decision.model import WorkerGroup

__all__ = ["aws_endpoint", "postgres_server"]


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """The server without tasks and with the first password."""
    postgres_server.set_tasks()
    yield postgres_server
    postgres_server.execute("ALTER ROLE airflow PASSWORD %s", PASSWORD)


@pytest.fixture
def aws_environment(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point every AWS client of this process, and of those it starts, at the emulator."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return aws_endpoint


@pytest.fixture
def ecs(aws_environment: str) -> Any:
    """An ECS client."""
    return boto3.client("ecs", region_name="eu-west-1")


@pytest.fixture
def sqs(aws_environment: str) -> Any:
    """An SQS client."""
    return boto3.client("sqs", region_name="eu-west-1")


@pytest.fixture
def secrets_manager(aws_environment: str) -> Any:
    """A Secrets Manager client."""
    return boto3.client("secretsmanager", region_name="eu-west-1")


@pytest.fixture
def group() -> WorkerGroup:
    """Four slots a worker, one to ten workers."""
    return WorkerGroup(
        name="default",
        queue="default",
        queue_url="http://sqs/sm2a-default",
        service="worker-default",
        concurrency=4,
        minimum=1,
        maximum=10,
    )


@pytest.fixture
def closed_port() -> int:
    """A loopback port that refuses connections."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
