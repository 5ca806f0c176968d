# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The loop on an injected clock: it follows the load, holds on failures, waits as standby and ends on request."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from sm2a_autoscaler.decision.model import PolicySettings, Upcoming, WorkerGroup
from sm2a_autoscaler.fleet.actuator import Actuator
from sm2a_autoscaler.fleet.maintenance import Maintenance
from sm2a_autoscaler.fleet.start_ups import StartUps
from sm2a_autoscaler.journal import Journal
from sm2a_autoscaler.look_ahead.model import Forecast, QueueOutlook
from sm2a_autoscaler.loop import Autoscaler, Outcome, Role
from sm2a_autoscaler.metadata.database import DatabaseError, TaskCounts
from sm2a_autoscaler.shutdown import Shutdown
from sm2a_autoscaler.signals import SignalReader

UNREACHABLE = EndpointConnectionError(endpoint_url="http://aws")


class World:
    """One environment: database, ECS and SQS in memory, any of which a test can break, and the clock."""

    def __init__(self, group: WorkerGroup) -> None:
        self.group = group
        self.now = 1000.0
        self.tasks = TaskCounts()
        self.messages = 0
        self.size = 1
        self.database_fails = self.ecs_fails = self.locked_elsewhere = False
        self.database_seconds = 0.0
        self.heartbeats: dict[str, float] | None = {"SchedulerJob": 4.26, "TriggererJob": 1.0}
        self.closed = 0
        self.updates: list[int] = []
        self.beats = 0
        self.forecast = Forecast({})
        self.forecasts = 0
        # Addresses of workers that are healthy since long, and of those that run tasks.
        self.workers = ["10.0.0.1"]
        self.busy: set[str] = set()
        self.stopped: list[str] = []
        self.stream = io.StringIO()

    # The database.
    def acquire_lock(self) -> bool:
        self._database()
        return not self.locked_elsewhere

    def counts(self) -> dict[str, TaskCounts]:
        self._database()
        self.now += self.database_seconds
        return {"default": self.tasks}

    def heartbeat_ages(self) -> dict[str, float]:
        self._database()
        if self.heartbeats is None:
            raise DatabaseError("no table job")
        return self.heartbeats

    def busy_addresses(self) -> dict[str, int]:
        self._database()
        return dict.fromkeys(self.busy, 1)

    def look_ahead(self) -> Forecast:
        self.forecasts += 1
        return self.forecast

    def close(self) -> None:
        self.closed += 1

    def _database(self) -> None:
        if self.database_fails:
            raise DatabaseError("server closed the connection")

    # ECS and SQS.
    def describe_services(self, cluster: str, services: list[str]) -> dict[str, Any]:
        if self.ecs_fails:
            raise UNREACHABLE
        counts = {"desiredCount": self.size, "runningCount": self.size, "pendingCount": 0}
        return {"services": [{"serviceName": name, "status": "ACTIVE", **counts} for name in services]}

    def update_service(self, cluster: str, service: str, desiredCount: int) -> None:  # noqa: N803 (the name in boto3)
        self.size = desiredCount
        self.updates.append(desiredCount)

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        numbers = {
            "ApproximateNumberOfMessages": str(self.messages),
            "ApproximateNumberOfMessagesNotVisible": "0",
        }
        return {"Attributes": numbers}

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        return {"taskArns": [f"arn/{address}" for address in self.workers]}

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        return {"tasks": [self._task(arn) for arn in tasks]}

    def get_task_protection(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        return {"protectedTasks": [{"taskArn": arn, "protectionEnabled": False} for arn in tasks]}

    def stop_task(self, cluster: str, task: str, reason: str) -> None:
        self.workers.remove(task.removeprefix("arn/"))
        self.stopped.append(reason)

    def _task(self, arn: str) -> dict[str, Any]:
        detail = {"name": "privateIPv4Address", "value": arn.removeprefix("arn/")}
        return {
            "taskArn": arn,
            "desiredStatus": "RUNNING",
            "lastStatus": "RUNNING",
            "healthStatus": "HEALTHY",
            "createdAt": 1.0,
            "startedAt": 2.0,
            "attachments": [{"details": [detail]}],
        }

    # The autoscaler in it.
    def beat(self) -> None:
        self.beats += 1

    def autoscaler(self, dry_run: bool = False) -> Autoscaler:
        """An instance; the world plays each of its neighbours."""
        return Autoscaler(
            policy=PolicySettings((self.group,)),
            database=self,  # type: ignore[arg-type]
            reader=SignalReader("sm2a", [self.group], self, self, lambda: self.now),
            actuator=Actuator(self, "sm2a", dry_run),
            maintenance=Maintenance(
                ecs=self,
                cluster="sm2a",
                groups=[self.group],
                busy=self.busy_addresses,
                monotonic=lambda: self.now,
                wall=lambda: self.now,
                start_ups=StartUps(),
                dry_run=dry_run,
            ),
            forecast=self.look_ahead,
            journal=Journal("sm2a", self.stream, lambda: 1_700_000_000.0 + self.now),
            monotonic=lambda: self.now,
            beat=self.beat,
            dry_run=dry_run,
        )

    def lines(self) -> list[dict[str, Any]]:
        """What was written since the last call."""
        text = self.stream.getvalue()
        self.stream.seek(0)
        self.stream.truncate()
        return [json.loads(line) for line in text.splitlines()]

    def tick_line(self) -> dict[str, Any]:
        """The one tick line written since the last call."""
        (line,) = [line for line in self.lines() if line.get("event") == "tick"]
        return line


@pytest.fixture
def world(group: WorkerGroup) -> World:
    return World(group)


def test_a_burst_is_met_at_once_and_left_after_the_hold(world: World) -> None:
    subject = world.autoscaler()
    sizes = []
    for second in range(0, 200, 10):
        world.now = 1000.0 + second
        world.tasks = TaskCounts(queued=30) if 20 <= second < 60 else TaskCounts()
        assert subject.tick() is Outcome.DONE
        sizes.append(world.size)
    assert sizes == [1] * 2 + [8] * 9 + [1] * 9
    assert world.updates == [8, 1]
    assert world.beats == 20


def test_a_tick_is_one_line_with_reasons_and_metrics_beside_it(world: World) -> None:
    world.tasks, world.messages = TaskCounts(scheduled=2, queued=5, running=4, busy_workers=1), 9
    world.forecast = Forecast({"default": QueueOutlook(upcoming=(Upcoming(400, 2),), mean_task_seconds=61.26)})
    world.autoscaler().tick()
    role, tick, group_metrics, tick_metrics = world.lines()
    assert (role["event"], role["role"]) == ("role", "active")
    assert (tick["event"], tick["level"], tick["role"], tick["problems"]) == ("tick", "info", "active", [])
    (group,) = tick["groups"]
    assert group.pop("reasons")[-1] == "scaling out at once"
    assert group == {
        "group": "default",
        "service": "worker-default",
        "action": "scale_out",
        "current": 1,
        "desired": 3,
        "drain": 0,
        "result": "applied",
        "remarks": [],
        "tasks": {
            "scheduled": 2,
            "queued": 5,
            "running": 4,
            "busy_workers": 1,
            "source": "database",
            "ending": [],
            "upcoming": [{"in_seconds": 400, "tasks": 2, "seconds": None}],
            "upcoming_total": 2,
            "mean_seconds": 61.3,
            "unscheduled_rate": 0.0,
        },
        "workers": {"desired": 1, "running": 1, "pending": 0, "start_up_seconds": None},
        "messages": {"visible": 9, "in_flight": 0},
    }
    assert (group_metrics["WorkerGroup"], group_metrics["QueuedTasks"]) == ("default", 5)
    assert (group_metrics["UpcomingTasks"], group_metrics["MeanTaskSeconds"]) == (2, 61.3)
    assert (group_metrics["StoppedWorkers"], group_metrics["BusyWorkers"]) == (0, 1)
    assert "StartUpSeconds" not in group_metrics
    assert (group_metrics["WantedWorkers"], group_metrics["DesiredWorkers"], group_metrics["Held"]) == (3, 1, 0)
    assert (tick_metrics["Active"], tick_metrics["Problems"]) == (1, 0)
    assert (tick_metrics["SchedulerHeartbeatAge"], tick_metrics["TriggererHeartbeatAge"]) == (4.3, 1.0)


def test_a_forecast_is_acted_upon(world: World) -> None:
    world.forecast = Forecast({"default": QueueOutlook(upcoming=(Upcoming(30, 12, 300),))})
    assert world.autoscaler().tick() is Outcome.DONE
    assert world.updates == [3]


def test_without_a_forecast_the_exact_counts_decide_and_the_log_says_so(world: World) -> None:
    world.forecast = Forecast(problem="no look-ahead: canceling statement due to statement timeout")
    world.tasks = TaskCounts(queued=12)
    assert world.autoscaler().tick() is Outcome.DONE
    assert world.updates == [3]
    line = world.tick_line()
    assert (line["level"], line["problems"]) == ("warning", [world.forecast.problem])


def test_without_the_exact_counts_nobody_looks_ahead(world: World) -> None:
    subject = world.autoscaler()
    subject.tick()
    world.database_fails = True
    subject.tick()
    assert world.forecasts == 1


def test_a_database_that_goes_away_within_a_tick_does_no_harm(world: World) -> None:
    def gone() -> Forecast:
        world.database_fails = True
        return Forecast(problem="no look-ahead: server closed the connection")

    world.look_ahead = gone  # type: ignore[method-assign]
    world.tasks, world.messages = TaskCounts(queued=12), 5
    assert world.autoscaler().tick() is Outcome.DONE
    assert world.updates == [3]
    line = world.tick_line()
    assert line["problems"] == [
        "no look-ahead: server closed the connection",
        "the workers of default could not be inspected: server closed the connection",
    ]


def test_a_worker_that_hangs_is_replaced_with_its_reason_logged(world: World) -> None:
    world.tasks, world.messages = TaskCounts(queued=4), 4
    world.workers, world.busy = ["10.0.0.1", "10.0.0.2"], {"10.0.0.2"}
    subject = world.autoscaler()
    for _ in range(19):
        world.lines()
        subject.tick()
        world.now += 10
    assert world.workers == ["10.0.0.2"]
    tick, group_metrics, _ = (line for line in world.lines() if line.get("event") != "role")
    reason = "it took no task for 180 s while tasks waited in queue default"
    assert tick["stops"] == [{"group": "default", "worker": "10.0.0.1", "reason": reason, "dry_run": False}]
    assert group_metrics["StoppedWorkers"] == 1
    assert world.stopped == [f"SM2A autoscaler: {reason}"]


def test_unreadable_heartbeats_are_missing_and_do_not_stop_the_tick(world: World) -> None:
    world.heartbeats = None
    assert world.autoscaler().tick() is Outcome.DONE
    *_others, warning, tick_metrics = world.lines()
    assert (warning["event"], warning["level"]) == ("heartbeats", "warning")
    assert tick_metrics["Active"] == 1
    assert "SchedulerHeartbeatAge" not in tick_metrics


def test_without_the_database_an_active_instance_grows_on_sqs_and_never_shrinks(world: World) -> None:
    subject = world.autoscaler()
    world.tasks = TaskCounts(queued=20)
    subject.tick()
    world.tasks, world.database_fails = TaskCounts(), True
    for _ in range(20):
        world.now += 10
        assert subject.tick() is Outcome.IMPAIRED
    assert world.size == 5
    line = [line for line in world.lines() if line.get("event") == "tick"][-1]
    assert line["level"] == "warning"
    assert line["problems"] == ["the metadata database could not be read: server closed the connection"]
    assert line["groups"][0]["action"] == "hold"
    world.messages = 40
    world.now += 10
    assert subject.tick() is Outcome.DONE
    assert world.size == 10
    assert subject.role is Role.ACTIVE


def test_a_failed_ecs_read_holds(world: World) -> None:
    world.tasks, world.ecs_fails = TaskCounts(queued=40), True
    assert world.autoscaler().tick() is Outcome.IMPAIRED
    record = world.tick_line()["groups"][0]
    assert (record["action"], record["current"], record["result"]) == ("hold", None, "unchanged")
    assert record["reasons"][-1] == "the size is held"
    assert world.updates == []


def test_a_read_that_took_too_long_is_not_acted_upon(world: World) -> None:
    world.tasks, world.database_seconds = TaskCounts(queued=40), 31.0
    assert world.autoscaler().tick() is Outcome.IMPAIRED
    assert "the demand was read 31 s ago" in world.tick_line()["groups"][0]["reasons"][0]
    assert world.updates == []


def test_a_second_instance_waits_says_so_and_takes_over(world: World) -> None:
    world.tasks, world.locked_elsewhere = TaskCounts(queued=40), True
    subject = world.autoscaler()
    assert subject.tick() is Outcome.WAITING
    line = world.tick_line()
    assert (line["role"], line["reason"]) == ("standby", "another instance holds the lock of this environment")
    assert (world.updates, world.beats) == ([], 1)
    world.locked_elsewhere = False
    assert subject.tick() is Outcome.DONE
    assert (subject.role, world.size) == (Role.ACTIVE, 10)


def test_an_instance_that_lost_the_lock_steps_back(world: World) -> None:
    subject = world.autoscaler()
    subject.tick()
    world.locked_elsewhere, world.tasks = True, TaskCounts(queued=40)
    assert subject.tick() is Outcome.WAITING
    assert (subject.role, world.updates) == (Role.STANDBY, [])
    assert [line["role"] for line in world.lines() if line.get("event") == "role"] == ["active", "standby"]


def test_an_instance_that_never_had_the_lock_does_nothing_without_the_database(world: World) -> None:
    world.database_fails, world.messages = True, 40
    assert world.autoscaler().tick() is Outcome.WAITING
    line = world.tick_line()
    assert line["level"] == "warning"
    assert "server closed the connection" in line["reason"]
    assert world.updates == []


def test_a_dry_run_decides_changes_nothing_and_needs_no_lock(world: World) -> None:
    world.tasks, world.locked_elsewhere = TaskCounts(queued=40), True
    assert world.autoscaler(dry_run=True).tick() is Outcome.DONE
    lines = world.lines()
    assert [line.get("event") for line in lines] == ["tick"], "a dry run writes no metrics"
    assert lines[0]["role"] == "observer"
    assert (lines[0]["groups"][0]["desired"], lines[0]["groups"][0]["result"]) == (10, "dry_run")
    assert world.updates == []


class Pauses(Shutdown):
    """Records the pauses, advances the clock by each, and asks for a stop after ``count`` of them."""

    def __init__(self, world: World, count: int) -> None:
        super().__init__()
        self.world = world
        self.count = count
        self.seconds: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        self.world.now += seconds
        self.requested = len(self.seconds) >= self.count
        return self.requested


def test_ticks_are_jittered_and_a_stop_ends_the_loop_and_releases_the_lock(world: World) -> None:
    pauses = Pauses(world, 50)
    world.autoscaler().run(pauses, 10)
    assert world.beats == 50
    assert all(9 <= seconds <= 11 for seconds in pauses.seconds)
    assert len({round(seconds, 3) for seconds in pauses.seconds}) > 25
    assert world.closed == 1


def test_a_slow_tick_is_followed_at_once(world: World) -> None:
    world.database_seconds = 25.0
    pauses = Pauses(world, 2)
    world.autoscaler().run(pauses, 10)
    assert pauses.seconds == [0, 0]


def test_a_defect_ends_the_loop_and_releases_the_lock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = world.autoscaler()
    monkeypatch.setattr(world, "counts", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        subject.run(Pauses(world, 5), 10)
    assert (world.closed, world.beats) == (1, 0)
