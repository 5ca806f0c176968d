# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Maintenance of single workers: when tasks are read, which worker is stopped, and which never is."""

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
    GroupNotes,
    GroupObservation,
    MessageCounts,
    Observation,
    Signals,
    Source,
    WorkerGroup,
)
from sm2a_autoscaler.fleet.drains import BUSY_WORKER_MINUTES, DRAIN_MARKER_MINUTES
from sm2a_autoscaler.fleet.maintenance import PAUSE_SECONDS, Maintenance, MaintenanceReport, tasks_wait
from sm2a_autoscaler.fleet.start_ups import StartUps
from sm2a_autoscaler.metadata.database import DatabaseError


class World:
    """ECS with workers by address, the database with the busy ones, and a clock for all."""

    def __init__(self, group: WorkerGroup) -> None:
        self.group = group
        self.now = 100_000.0
        self.workers = ["10.0.0.1", "10.0.0.2"]
        self.busy: list[set[str]] = [{"10.0.0.2"}]
        self.protected: dict[str, float] = {}
        self.marked: list[tuple[str, int]] = []
        self.healthy = True
        self.replaced: frozenset[str] = frozenset()
        self.started_by: dict[str, str] = {}
        self.stopped: list[str] = []
        self.reads = 0
        self.error: Exception | None = None

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        self.reads += 1
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
        self.marked += [(arn, expiresInMinutes) for arn in tasks]
        self.protected |= dict.fromkeys(tasks, self.now + 60 * expiresInMinutes)

    def read_busy(self) -> dict[str, int]:
        """The next answer; the last one stays."""
        return dict.fromkeys(self.busy.pop(0) if len(self.busy) > 1 else self.busy[0], 1)

    def maintenance(self, dry_run: bool = False) -> Maintenance:
        """An instance; the world plays each of its neighbours."""
        return Maintenance(
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
            Demand(queued=queued, running=1, read_at=self.now, source=source),
            Fleet(desired=2, running=2, pending=pending, read_at=self.now, replaced=self.replaced),
        )
        notes = GroupNotes(MessageCounts(visible, 1), ())
        return Signals(Observation(self.now, {"default": seen}), {"default": notes}, {})

    def run(
        self, maintenance: Maintenance, seconds: float = 190, drain: int | None = 0, **signals: Any
    ) -> list[MaintenanceReport]:
        """Ticks for that long."""
        done = []
        decision = Decision(
            group="default", service="worker-default", action=Action.KEEP, current=2, desired=2, reasons=(), drain=drain
        )
        for _ in range(round(seconds / 10)):
            done.append(maintenance.run(self.signals(**signals), [decision]))
            self.now += 10
        return done


@pytest.fixture
def world(group: WorkerGroup) -> World:
    return World(group)


def test_an_idle_worker_is_stopped_once_while_its_queue_waits(world: World) -> None:
    *before, last = world.run(world.maintenance())
    assert before == [MaintenanceReport(draining={"default": 0})] * 18
    (stop,) = last.stops
    assert (stop.group, stop.worker, stop.dry_run) == ("default", "10.0.0.1", False)
    assert world.stopped == ["10.0.0.1"]


def test_a_dry_run_stops_nobody(world: World) -> None:
    *_, last = world.run(world.maintenance(dry_run=True))
    assert last.stops[0].dry_run
    assert world.stopped == []


def test_at_most_one_is_stopped_in_five_minutes(world: World) -> None:
    world.busy = [set()]
    world.run(world.maintenance(), 480)
    assert len(world.stopped) == 1


def test_a_protected_worker_is_never_stopped_and_the_next_one_is_looked_at(world: World) -> None:
    world.busy, world.protected = [set()], {"10.0.0.1": world.now + 3600}
    world.run(world.maintenance())
    assert world.stopped == ["10.0.0.2"]


def test_a_worker_whose_short_tasks_are_never_seen_is_spared(world: World) -> None:
    maintenance = world.maintenance()
    world.run(maintenance, 100)
    world.protected = {"10.0.0.1": world.now + 3600}
    world.run(maintenance, 10)
    world.protected = {}
    world.run(maintenance, 170)
    assert world.stopped == []


def test_a_worker_that_takes_a_task_at_the_last_moment_is_spared(world: World) -> None:
    world.busy = [{"10.0.0.2"}] * 19 + [{"10.0.0.1", "10.0.0.2"}]
    world.run(world.maintenance())
    assert world.stopped == []


@pytest.mark.parametrize("signals", [{"queued": 0}, {"visible": 0}, {"source": Source.SQS}])
def test_nobody_is_looked_at_unless_tasks_wait_in_database_and_sqs(world: World, signals: dict[str, Any]) -> None:
    world.run(world.maintenance(), **signals)
    assert (world.reads, world.stopped) == (0, [])


def test_a_moment_without_waiting_tasks_excuses_an_idle_worker(world: World) -> None:
    maintenance = world.maintenance()
    world.run(maintenance, 170)
    world.run(maintenance, 10, queued=0)
    world.run(maintenance, 170)
    assert world.stopped == []


def test_starts_are_watched_to_their_end(world: World) -> None:
    maintenance = world.maintenance()
    world.busy, world.healthy = [set()], False
    world.run(maintenance, 10, queued=0, pending=1)
    world.run(maintenance, 10, queued=0)
    world.healthy = True
    world.run(maintenance, 100, queued=0)
    assert world.reads == 3
    assert maintenance.start_ups.percentile("worker-default") == 60


def test_throttling_is_reported_and_causes_a_pause(world: World) -> None:
    maintenance = world.maintenance()
    world.error = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "ListTasks")
    first, *others = world.run(maintenance, PAUSE_SECONDS)
    assert "the workers of default could not be inspected: " in first.problems[0]
    assert others == [MaintenanceReport()] * 5
    assert world.reads == 1


@pytest.mark.parametrize("error", [EndpointConnectionError(endpoint_url="http://ecs"), DatabaseError("gone")])
def test_failures_are_problems_and_no_more(world: World, error: Exception) -> None:
    world.error = error
    assert len(world.maintenance().run(world.signals(), ()).problems) == 1


def test_waiting_needs_a_read_of_sqs(world: World) -> None:
    signals = world.signals()
    seen = signals.observation.groups["default"]
    assert tasks_wait(seen, signals.notes["default"])
    assert not tasks_wait(seen, GroupNotes(None, ()))


@pytest.fixture
def large(world: World) -> World:
    """Workers with many slots, both busy and protected by themselves; nothing waits."""
    world.group = dataclasses.replace(world.group, concurrency=16)
    world.busy = [{"10.0.0.1", "10.0.0.2"}]
    world.protected = dict.fromkeys(world.workers, world.now + 3600)
    return world


def test_drain_markers_are_set_once_and_cleared_when_draining_ends(large: World) -> None:
    maintenance = large.maintenance()
    *_, last = large.run(maintenance, 50, drain=1, queued=0)
    assert large.marked == [("10.0.0.1", DRAIN_MARKER_MINUTES)]
    assert last.draining == {"default": 1}
    large.run(maintenance, 50, drain=None, queued=0)
    assert len(large.marked) == 1
    *_, last = large.run(maintenance, 50, drain=0, queued=0)
    assert large.marked[1:] == [("10.0.0.1", BUSY_WORKER_MINUTES)]
    reads = large.reads
    large.run(maintenance, 50, drain=0, queued=0)
    assert large.reads == reads


def test_a_new_autoscaler_finds_those_that_drain(large: World) -> None:
    large.run(large.maintenance(), 10, drain=1, queued=0)
    large.run(large.maintenance(), 10, drain=1, queued=0)
    assert len(large.marked) == 1
    large.run(large.maintenance(), 20, drain=0, queued=0)
    assert large.marked[1:] == [("10.0.0.1", BUSY_WORKER_MINUTES)]


def test_a_dry_run_tells_nobody(large: World) -> None:
    large.run(large.maintenance(dry_run=True), 20, drain=1, queued=0)
    assert large.marked == []


def test_groups_with_few_slots_are_not_inspected_for_draining(world: World) -> None:
    world.run(world.maintenance(), 20, drain=0, queued=0)
    assert (world.reads, world.marked) == (0, [])


def test_busy_workers_of_an_earlier_deployment_drain_once_the_current_one_is_ready(world: World) -> None:
    world.workers += ["10.0.0.3", "10.0.0.4"]
    world.replaced, world.started_by = frozenset({"ecs-svc/1"}), dict.fromkeys(["10.0.0.1", "10.0.0.2"], "ecs-svc/1")
    world.busy = [{"10.0.0.2", "10.0.0.3"}]
    world.protected = dict.fromkeys(["10.0.0.2", "10.0.0.3"], world.now + 60 * BUSY_WORKER_MINUTES)
    world.healthy = False
    maintenance = world.maintenance()
    world.run(maintenance, 20, queued=0)
    assert world.marked == []
    world.healthy = True
    *_, last = world.run(maintenance, 20, queued=0)
    assert world.marked == [("10.0.0.2", DRAIN_MARKER_MINUTES)]
    assert last.draining == {"default": 1}
