# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads of ECS and SQS against the emulator, and what a lost connection does to them."""

from __future__ import annotations

import socket
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sm2a_autoscaler.decision.model import MessageCounts
from sm2a_autoscaler.fleet.aws import ServiceCounts, client, read_queues, read_services, throttled


@pytest.fixture
def cluster(ecs: Any) -> str:
    """An empty cluster with a task definition ``worker``."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(family="worker", containerDefinitions=[{"name": "worker", "image": "worker"}])
    return name


class Counted:
    """Passes calls on and keeps the arguments of each."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append(arguments)
            return getattr(self.target, name)(**arguments)

        return call


def test_many_services_are_read_ten_at_a_time(ecs: Any, cluster: str) -> None:
    names = [f"worker-{index}" for index in range(23)]
    for index, name in enumerate(names):
        ecs.create_service(cluster=cluster, serviceName=name, taskDefinition="worker", desiredCount=index % 3)
    counted = Counted(ecs)
    read = read_services(counted, cluster, names)
    assert [len(call["services"]) for call in counted.calls] == [10, 10, 3]
    assert {name: counts.desired for name, counts in read.values.items()} == {
        name: index % 3 for index, name in enumerate(names)
    }
    assert read.problems == {}


def test_a_missing_or_deleted_service_is_a_problem_of_its_own(ecs: Any, cluster: str) -> None:
    for name in ("worker-a", "worker-b"):
        ecs.create_service(cluster=cluster, serviceName=name, taskDefinition="worker", desiredCount=0)
    ecs.delete_service(cluster=cluster, service="worker-b", force=True)
    read = read_services(ecs, cluster, ["worker-a", "worker-b", "worker-c"])
    assert read.values == {"worker-a": ServiceCounts(desired=0, running=0, pending=0)}
    assert sorted(read.problems) == ["worker-b", "worker-c"]
    assert "worker-c does not exist" in read.problems["worker-c"]


def test_a_missing_cluster_is_a_problem_of_every_service(ecs: Any) -> None:
    read = read_services(ecs, "nowhere", ["a", "b"])
    assert sorted(read.problems) == ["a", "b"]
    assert "ClusterNotFound" in read.problems["a"]


def test_messages_are_counted_as_visible_and_in_flight(sqs: Any) -> None:
    url = sqs.create_queue(QueueName=f"test-{uuid.uuid4()}")["QueueUrl"]
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)
    assert read_queues(sqs, [url]).values == {url: MessageCounts(visible=2, in_flight=1)}


def test_one_missing_queue_does_not_hide_the_others(sqs: Any) -> None:
    url = sqs.create_queue(QueueName=f"test-{uuid.uuid4()}")["QueueUrl"]
    missing = url + "-missing"
    read = read_queues(sqs, [missing, url])
    assert list(read.values) == [url]
    assert missing in read.problems[missing]


def test_a_lost_connection_is_tried_once_a_tick_not_once_a_name(
    closed_port: int, aws_environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port}")
    ecs, sqs = Counted(client("ecs", "eu-west-1")), Counted(client("sqs", "eu-west-1"))
    services = [f"worker-{index}" for index in range(30)]
    urls = [f"http://127.0.0.1:{closed_port}/queue-{index}" for index in range(30)]
    assert sorted(read_services(ecs, "sm2a", services).problems) == sorted(services)
    assert sorted(read_queues(sqs, urls).problems) == sorted(urls)
    assert (len(ecs.calls), len(sqs.calls)) == (1, 1)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, (5, 9.5)), (2, (10, 30))])
def test_an_endpoint_that_does_not_answer_is_given_up_in_time(
    aws_environment: str, monkeypatch: pytest.MonkeyPatch, attempts: int, seconds: tuple[float, float]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        started = time.monotonic()
        read = read_services(client("ecs", "eu-west-1", attempts), "sm2a", ["worker-default"])
        assert seconds[0] <= time.monotonic() - started <= seconds[1]
    assert "timeout" in read.problems["worker-default"].lower()


@pytest.mark.parametrize(("code", "expected"), [("ThrottlingException", True), ("AccessDeniedException", False)])
def test_throttling_is_recognised_by_its_code(code: str, expected: bool) -> None:
    assert throttled(ClientError({"Error": {"Code": code, "Message": ""}}, "UpdateService")) is expected
