# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Joining database, SQS and ECS into one observation: precedence, fallback, cross-check, unserved queues."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from sm2a_autoscaler.decision.model import Demand, Fleet, MessageCounts, Signals, Source, WorkerGroup
from sm2a_autoscaler.metadata.database import TaskCounts, TaskRead
from sm2a_autoscaler.signals import SignalReader, cross_check

UNREACHABLE = EndpointConnectionError(endpoint_url="http://aws")


class Aws:
    """ECS and SQS with one service and one queue, either of which may be unreachable."""

    def __init__(self, desired: int | None = 2, messages: tuple[int, int] | None = (5, 3)) -> None:
        self.desired = desired
        self.messages = messages

    def describe_services(self, cluster: str, services: list[str]) -> dict[str, Any]:
        if self.desired is None:
            raise UNREACHABLE
        counts = {"desiredCount": self.desired, "runningCount": 1, "pendingCount": 1}
        return {"services": [{"serviceName": name, "status": "ACTIVE", **counts} for name in services]}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        if self.messages is None:
            raise UNREACHABLE
        visible, in_flight = self.messages
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(visible),
                "ApproximateNumberOfMessagesNotVisible": str(in_flight),
            }
        }


def read(group: WorkerGroup, tasks: TaskRead, aws: Aws) -> Signals:
    """One read; the clock shows 101, 102, ... and the database was read at 100."""
    clock = itertools.count(101)
    return SignalReader("sm2a", [group], aws, aws, lambda: float(next(clock))).read(tasks)


COUNTED = TaskRead({"default": TaskCounts(scheduled=9, queued=4, running=2, busy_workers=1)}, 100.0)
UNREAD = TaskRead(None, 100.0, "the database is away")


def test_the_database_decides_and_every_part_has_its_time(group: WorkerGroup) -> None:
    signals = read(group, COUNTED, Aws())
    seen = signals.observation.groups["default"]
    assert seen.demand == Demand(queued=4, running=2, scheduled=9, busy_workers=1, read_at=100.0)
    assert seen.fleet == Fleet(desired=2, running=1, pending=1, read_at=102.0)
    assert seen.problems == ()
    assert signals.observation.at == 103.0
    assert signals.notes["default"].messages == MessageCounts(5, 3)


def test_a_queue_without_tasks_counts_as_empty(group: WorkerGroup) -> None:
    assert read(group, TaskRead({}, 100.0), Aws()).observation.groups["default"].demand == Demand(
        queued=0, running=0, read_at=100.0
    )


def test_sqs_stands_in_for_the_database(group: WorkerGroup) -> None:
    seen = read(group, UNREAD, Aws()).observation.groups["default"]
    assert seen.demand == Demand(queued=5, running=3, read_at=101.0, source=Source.SQS)
    assert seen.problems == ("the database is away",)


def test_without_database_and_sqs_there_is_no_demand(group: WorkerGroup) -> None:
    seen = read(group, UNREAD, Aws(messages=None)).observation.groups["default"]
    assert seen.demand is None
    assert [text.split(":")[0] for text in seen.problems] == ["the database is away", "SQS could not be read"]


def test_a_lost_cross_check_is_said_but_does_not_stop_the_decision(group: WorkerGroup) -> None:
    signals = read(group, COUNTED, Aws(messages=None))
    seen = signals.observation.groups["default"]
    assert seen.demand is not None
    assert seen.demand.source is Source.DATABASE
    assert "SQS could not be read" in seen.problems[0]
    assert signals.notes["default"].messages is None


def test_without_ecs_there_is_no_fleet(group: WorkerGroup) -> None:
    seen = read(group, COUNTED, Aws(desired=None)).observation.groups["default"]
    assert seen.fleet is None
    assert "ECS services could not be read" in seen.problems[0]


def test_queued_tasks_without_a_worker_group_are_reported(group: WorkerGroup) -> None:
    counts = {"default": TaskCounts(queued=1), "gpu": TaskCounts(queued=3), "old": TaskCounts(running=1)}
    assert read(group, TaskRead(counts, 100.0), Aws()).unserved == {"gpu": 3}


@pytest.mark.parametrize(
    ("queued", "running", "messages", "remark"),
    [
        (4, 0, (4, 0), None),
        (0, 0, (0, 0), None),
        (0, 2, (0, 0), None),
        (4, 0, (0, 0), "the database has 4 queued tasks, but SQS has no messages"),
        (0, 0, (1, 2), "SQS has 3 messages, but the database has no queued or running tasks"),
    ],
)
def test_database_and_sqs_are_compared(
    queued: int, running: int, messages: tuple[int, int], remark: str | None
) -> None:
    demand = Demand(queued=queued, running=running, read_at=0.0)
    assert cross_check(demand, MessageCounts(*messages)) == ((remark,) if remark else ())
    assert cross_check(dataclasses.replace(demand, source=Source.SQS), MessageCounts(*messages)) == ()
