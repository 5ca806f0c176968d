# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The care for single workers: when tasks are looked at, who is stopped, and who never is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from sm2a_autoscaler.decision.model import (
    Action,
    Decision,
    Demand,
    Fleet,
    GroupObservation,
    Observation,
    Source,
    WorkerGroup,
)
from sm2a_autoscaler.fleet.aws import MessageCounts
from sm2a_autoscaler.fleet.drains import OWN_MINUTES, SIGN_MINUTES
from sm2a_autoscaler.fleet.maintenance import PAUSE_SECONDS, Care, Caretaker, waits
from sm2a_autoscaler.fleet.start_ups import StartUps
from sm2a_autoscaler.metadata.database import DatabaseError
from sm2a_autoscaler.signals import GroupNotes, Signals


class World:
    """ECS with workers by address, the database with the busy ones, and a clock for all."""

    def __init__(self, group: WorkerGroup) -> None:
        self.group = group
        self.now = 100_000.0
        self.workers = ["10.0.0.1", "10.0.0.2"]
        self.busy: list[set[str]] = [{"10.0.0.2"}]
        self.protected: dict[str, float] = {}
        self.told: list[tuple[str, int]] = []
        self.healthy = True
        self.replaced: frozenset[str] = frozenset()
        self.started_by: dict[str, str] = {}
        self.stopped: list[str] = []
        self.looks = 0
        self.error: Exception | None = None

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        self.looks += 1
        if self.error:
            raise self.error
        return {"taskArns": self.workers}

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        health = "HEALTHY" if self.healthy else "UNKNOWN"
        return {
            "tasks": [
                {
                    "taskArn": arn,
                    "desiredStatus": "RUNNING",
                    "lastStatus": "RUNNING",
                    "healthStatus": health,
                    "startedBy": self.started_by.get(arn, "ecs-svc/2"),
                    "createdAt": 99_960.0,
                    "startedAt": 1.0,
                    "attachments": [{"details": [{"name": "privateIPv4Address", "value": arn}]}],
                }
                for arn in tasks
            ]
        }

    def get_task_protection(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        return {
            "protectedTasks": [
                {"taskArn": arn, "protectionEnabled": arn in self.protected, "expirationDate": self.protected.get(arn)}
                for arn in tasks
            ]
        }

    def stop_task(self, cluster: str, task: str, reason: str) -> None:
        self.stopped.append(task)

    def update_task_protection(
        self,
        cluster: str,
        tasks: list[str],
        protectionEnabled: bool,  # noqa: N803 (the name in boto3)
        expiresInMinutes: int,  # noqa: N803
    ) -> None:
        assert protectionEnabled, "nobody's protection is taken away"
        self.told += [(arn, expiresInMinutes) for arn in tasks]
        self.protected |= dict.fromkeys(tasks, self.now + 60 * expiresInMinutes)

    def read_busy(self) -> dict[str, int]:
        """The next answer; the last one stays."""
        return dict.fromkeys(self.busy.pop(0) if len(self.busy) > 1 else self.busy[0], 1)

    def caretaker(self, dry_run: bool = False) -> Caretaker:
        """An instance; the world plays each of its neighbours."""
        return Caretaker(
            ecs=self,
            cluster="sm2a",
            groups=[self.group],
            busy=self.read_busy,
            monotonic=lambda: self.now,
            wall=lambda: self.now,
            start_ups=StartUps(),
            dry_run=dry_run,
        )

    def signals(self, queued: int = 3, visible: int = 3, pending: int = 0, source: Source = Source.DATABASE) -> Signals:
        """What was seen in a tick."""
        seen = GroupObservation(
            Demand(queued, 1, self.now, source=source), Fleet(2, 2, pending, self.now, replaced=self.replaced)
        )
        notes = GroupNotes(MessageCounts(visible, 1), ())
        return Signals(Observation(self.now, {"default": seen}), {"default": notes}, {})

    def tend(self, caretaker: Caretaker, seconds: float = 190, drain: int | None = 0, **signals: Any) -> list[Care]:
        """Ticks for that long."""
        done = []
        decision = Decision("default", "worker-default", Action.KEEP, 2, 2, (), drain)
        for _ in range(round(seconds / 10)):
            done.append(caretaker.tend(self.signals(**signals), [decision]))
            self.now += 10
        return done


@pytest.fixture
def world(group: WorkerGroup) -> World:
    return World(group)


def test_an_idle_worker_is_stopped_once_while_its_queue_waits(world: World) -> None:
    *before, last = world.tend(world.caretaker())
    assert before == [Care(draining={"default": 0})] * 18
    (stop,) = last.stops
    assert (stop.group, stop.worker, stop.dry_run) == ("default", "10.0.0.1", False)
    assert world.stopped == ["10.0.0.1"]


def test_a_dry_run_stops_nobody(world: World) -> None:
    *_, last = world.tend(world.caretaker(dry_run=True))
    assert last.stops[0].dry_run
    assert world.stopped == []


def test_at_most_one_is_stopped_in_five_minutes(world: World) -> None:
    world.busy = [set()]
    world.tend(world.caretaker(), 480)
    assert len(world.stopped) == 1


def test_a_protected_worker_is_never_stopped_and_the_next_one_is_looked_at(world: World) -> None:
    world.busy, world.protected = [set()], {"10.0.0.1": world.now + 3600}
    world.tend(world.caretaker())
    assert world.stopped == ["10.0.0.2"]


def test_a_worker_whose_short_tasks_are_never_seen_is_spared(world: World) -> None:
    caretaker = world.caretaker()
    world.tend(caretaker, 100)
    world.protected = {"10.0.0.1": world.now + 3600}
    world.tend(caretaker, 10)
    world.protected = {}
    world.tend(caretaker, 170)
    assert world.stopped == []


def test_a_worker_that_takes_a_task_at_the_last_moment_is_spared(world: World) -> None:
    world.busy = [{"10.0.0.2"}] * 19 + [{"10.0.0.1", "10.0.0.2"}]
    world.tend(world.caretaker())
    assert world.stopped == []


@pytest.mark.parametrize("signals", [{"queued": 0}, {"visible": 0}, {"source": Source.SQS}])
def test_nobody_is_looked_at_unless_tasks_wait_in_database_and_sqs(world: World, signals: dict[str, Any]) -> None:
    world.tend(world.caretaker(), **signals)
    assert (world.looks, world.stopped) == (0, [])


def test_a_moment_without_waiting_tasks_excuses_an_idle_worker(world: World) -> None:
    caretaker = world.caretaker()
    world.tend(caretaker, 170)
    world.tend(caretaker, 10, queued=0)
    world.tend(caretaker, 170)
    assert world.stopped == []


def test_starts_are_watched_to_their_end(world: World) -> None:
    caretaker = world.caretaker()
    world.busy, world.healthy = [set()], False
    world.tend(caretaker, 10, queued=0, pending=1)
    world.tend(caretaker, 10, queued=0)
    world.healthy = True
    world.tend(caretaker, 100, queued=0)
    assert world.looks == 3
    assert caretaker.start_ups.percentile("worker-default") == 60


def test_throttling_is_told_and_answered_with_a_pause(world: World) -> None:
    caretaker = world.caretaker()
    world.error = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "ListTasks")
    first, *others = world.tend(caretaker, PAUSE_SECONDS)
    assert "the workers of default could not be looked after: " in first.problems[0]
    assert others == [Care()] * 5
    assert world.looks == 1


@pytest.mark.parametrize("error", [EndpointConnectionError(endpoint_url="http://ecs"), DatabaseError("gone")])
def test_failures_are_problems_and_no_more(world: World, error: Exception) -> None:
    world.error = error
    assert len(world.caretaker().tend(world.signals(), ()).problems) == 1


def test_waiting_needs_a_read_of_sqs(world: World) -> None:
    signals = world.signals()
    seen = signals.observation.groups["default"]
    assert waits(seen, signals.notes["default"])
    assert not waits(seen, GroupNotes(None, ()))


@pytest.fixture
def large(world: World) -> World:
    """Workers with many slots, both busy and protected by themselves; nothing waits."""
    world.group = dataclasses.replace(world.group, concurrency=16)
    world.busy = [{"10.0.0.1", "10.0.0.2"}]
    world.protected = dict.fromkeys(world.workers, world.now + 3600)
    return world


def test_workers_are_told_to_drain_once_and_told_when_it_ends(large: World) -> None:
    caretaker = large.caretaker()
    *_, last = large.tend(caretaker, 50, drain=1, queued=0)
    assert large.told == [("10.0.0.1", SIGN_MINUTES)]
    assert last.draining == {"default": 1}
    large.tend(caretaker, 50, drain=None, queued=0)
    assert len(large.told) == 1
    *_, last = large.tend(caretaker, 50, drain=0, queued=0)
    assert large.told[1:] == [("10.0.0.1", OWN_MINUTES)]
    looks = large.looks
    large.tend(caretaker, 50, drain=0, queued=0)
    assert large.looks == looks


def test_a_new_autoscaler_finds_those_that_drain(large: World) -> None:
    large.tend(large.caretaker(), 10, drain=1, queued=0)
    large.tend(large.caretaker(), 10, drain=1, queued=0)
    assert len(large.told) == 1
    large.tend(large.caretaker(), 20, drain=0, queued=0)
    assert large.told[1:] == [("10.0.0.1", OWN_MINUTES)]


def test_a_dry_run_tells_nobody(large: World) -> None:
    large.tend(large.caretaker(dry_run=True), 20, drain=1, queued=0)
    assert large.told == []


def test_nobody_looks_for_workers_with_few_slots_that_drain(world: World) -> None:
    world.tend(world.caretaker(), 20, drain=0, queued=0)
    assert (world.looks, world.told) == (0, [])


def test_busy_workers_of_an_earlier_deployment_drain_once_the_current_one_is_ready(world: World) -> None:
    world.workers += ["10.0.0.3", "10.0.0.4"]
    world.replaced, world.started_by = frozenset({"ecs-svc/1"}), dict.fromkeys(["10.0.0.1", "10.0.0.2"], "ecs-svc/1")
    world.busy = [{"10.0.0.2", "10.0.0.3"}]
    world.protected = dict.fromkeys(["10.0.0.2", "10.0.0.3"], world.now + 60 * OWN_MINUTES)
    world.healthy = False
    caretaker = world.caretaker()
    world.tend(caretaker, 20, queued=0)
    assert world.told == []
    world.healthy = True
    *_, last = world.tend(caretaker, 20, queued=0)
    assert world.told == [("10.0.0.2", SIGN_MINUTES)]
    assert last.draining == {"default": 1}
