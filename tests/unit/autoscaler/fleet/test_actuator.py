# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Setting sizes: only on difference, not in a dry run, and with a growing pause after throttling."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from sm2a_autoscaler.decision.model import Action, Decision
from sm2a_autoscaler.fleet.actuator import Actuator, Result


def decision(current: int | None, desired: int | None, service: str = "worker-default") -> Decision:
    """A decision about one service."""
    action = Action.KEEP
    if current is not None and desired is not None and current != desired:
        action = Action.SCALE_OUT if desired > current else Action.SCALE_IN
    return Decision(group="default", service=service, action=action, current=current, desired=desired, reasons=())


def refused(code: str) -> ClientError:
    """An AWS error."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "UpdateService")


class Ecs:
    """Takes UpdateService and raises the next error given, if any."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.calls: list[tuple[str, int]] = []
        self.tasks = [f"task-{number}" for number in range(5)]
        self.protected = 0

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        return {"taskArns": self.tasks}

    def get_task_protection(self, tasks: list[str], **_: Any) -> dict[str, Any]:
        guarded = self.tasks[: self.protected]
        return {"protectedTasks": [{"taskArn": arn, "protectionEnabled": arn in guarded} for arn in tasks]}

    def update_service(self, cluster: str, service: str, desiredCount: int) -> None:  # noqa: N803 (the name in boto3)
        self.calls.append((service, desiredCount))
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error


@pytest.mark.parametrize("size", [None, 0, 3])
def test_nothing_is_called_without_a_difference(size: int | None) -> None:
    ecs = Ecs()
    (applied,) = Actuator(ecs, "sm2a").apply([decision(size, size)], 0)
    assert (applied.result, ecs.calls) == (Result.UNCHANGED, [])


def test_a_dry_run_calls_nothing() -> None:
    ecs = Ecs()
    (applied,) = Actuator(ecs, "sm2a", dry_run=True).apply([decision(1, 3)], 0)
    assert (applied.result, ecs.calls) == (Result.DRY_RUN, [])


def test_a_difference_is_set_on_the_service(ecs: Any) -> None:
    cluster = f"test-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=cluster)
    definition = ecs.register_task_definition(family="worker", containerDefinitions=[{"name": "w", "image": "w"}])
    arn = definition["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(cluster=cluster, serviceName="worker-default", taskDefinition=arn, desiredCount=1)
    (applied,) = Actuator(ecs, cluster).apply([decision(1, 3)], 0)
    (service,) = ecs.describe_services(cluster=cluster, services=["worker-default"])["services"]
    assert (applied.result, service["desiredCount"]) == (Result.APPLIED, 3)
    assert service["taskDefinition"] == arn


@pytest.mark.parametrize(
    ("protected", "size", "action"), [(0, 1, Action.SCALE_IN), (3, 3, Action.SCALE_IN), (5, 4, Action.KEEP)]
)
def test_a_scale_in_ends_at_the_protected_workers(protected: int, size: int, action: Action) -> None:
    ecs = Ecs()
    ecs.protected = protected
    (applied,) = Actuator(ecs, "sm2a").apply([decision(4, 1)], 0)
    assert (applied.decision.desired, applied.decision.action) == (size, action)
    assert ecs.calls == ([("worker-default", size)] if size < 4 else [])
    assert applied.result is (Result.APPLIED if size < 4 else Result.UNCHANGED)


def test_a_scale_out_is_not_delayed_by_a_look_at_protection() -> None:
    ecs = Ecs()
    del ecs.tasks
    Actuator(ecs, "sm2a").apply([decision(1, 3)], 0)
    assert ecs.calls == [("worker-default", 3)]


def test_one_failure_does_not_keep_the_others_from_theirs() -> None:
    ecs = Ecs(refused("ServiceNotActiveException"), None)
    first, second = Actuator(ecs, "sm2a").apply([decision(1, 3, "a"), decision(1, 2, "b")], 0)
    assert (first.result, second.result) == (Result.FAILED, Result.APPLIED)
    assert first.problem is not None
    assert "a could not be resized" in first.problem
    assert "ServiceNotActiveException" in first.problem


@pytest.mark.parametrize("error", [refused("ThrottlingException"), EndpointConnectionError(endpoint_url="http://ecs")])
def test_throttling_stops_further_calls_for_a_growing_pause(error: Exception) -> None:
    ecs = Ecs(error, error, None, error)
    actuator = Actuator(ecs, "sm2a")

    def results(now: float) -> list[Result]:
        return [item.result for item in actuator.apply([decision(1, 3, "a"), decision(1, 2, "b")], now)]

    assert results(0) == [Result.FAILED, Result.POSTPONED]
    assert results(9) == [Result.POSTPONED, Result.POSTPONED]
    assert results(10) == [Result.FAILED, Result.POSTPONED]
    assert results(29) == [Result.POSTPONED, Result.POSTPONED]
    # The first success makes the next pause the shortest again.
    assert results(30) == [Result.APPLIED, Result.FAILED]
    assert results(39) == [Result.POSTPONED, Result.POSTPONED]
    assert results(40) == [Result.APPLIED, Result.APPLIED]
    assert len(ecs.calls) == 6


def test_the_pause_ends_at_two_minutes() -> None:
    ecs = Ecs(*[refused("ThrottlingException")] * 10)
    actuator, now = Actuator(ecs, "sm2a"), 0.0
    for _ in range(9):
        actuator.apply([decision(1, 3)], now)
        now += 120
    assert len(ecs.calls) == 9
