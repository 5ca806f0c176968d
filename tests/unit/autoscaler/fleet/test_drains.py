# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Which workers drain, and how they are told."""

from __future__ import annotations

from typing import Any

from sm2a_autoscaler.fleet import drains
from sm2a_autoscaler.fleet.drains import OWN_MINUTES, SIGN_MINUTES, Draining, choose, tell
from sm2a_autoscaler.fleet.ecs_tasks import Worker
from sm2a_runtime.worker import drain

WALL = 1_000_000.0
WORKERS = [Worker(name, 0, 0, f"10.0.0.{name}", healthy=True) for name in "abcd"]
TASKS = {"10.0.0.a": 5, "10.0.0.b": 1, "10.0.0.c": 3}
OWN = dict.fromkeys("abc", WALL + 3600)


def names(draining: Draining) -> tuple[str, str]:
    """Who begins and who ends."""
    return "".join(worker.arn for worker in draining.begin), "".join(worker.arn for worker in draining.end)


def test_those_with_the_fewest_tasks_drain_first() -> None:
    assert names(choose(WORKERS, TASKS, OWN, 2, WALL)) == ("bc", "")
    assert choose(WORKERS, TASKS, OWN, 9, WALL).total == 3


def test_those_that_drain_go_on_also_with_more_tasks_than_others() -> None:
    protected = OWN | {"a": WALL + 170_000}
    assert names(choose(WORKERS, TASKS, protected, 1, WALL)) == ("", "")
    assert names(choose(WORKERS, TASKS, protected, 2, WALL)) == ("b", "")


def test_fewer_may_drain_again() -> None:
    protected = dict.fromkeys("abc", WALL + 170_000)
    assert names(choose(WORKERS, TASKS, protected, 1, WALL)) == ("", "ca")
    assert names(choose(WORKERS, TASKS, protected, 0, WALL)) == ("", "bca")


def test_replaced_workers_drain_besides_those_that_are_too_many() -> None:
    assert names(choose(WORKERS, TASKS, OWN, 0, WALL, replaced=WORKERS[:1] + WORKERS[3:])) == ("a", "")
    assert names(choose(WORKERS, TASKS, OWN, 1, WALL, replaced=WORKERS[:1])) == ("ab", "")


def test_a_worker_without_protection_is_not_told() -> None:
    assert names(choose(WORKERS, TASKS, {"a": WALL + 10}, 3, WALL)) == ("a", "")


def test_the_sign_is_the_same_on_either_side() -> None:
    assert drains.SIGN_SECONDS == drain.SIGN_SECONDS
    assert 60 * OWN_MINUTES < drains.SIGN_SECONDS < 60 * SIGN_MINUTES


class Ecs:
    """Takes calls of ten tasks."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def update_task_protection(self, tasks: list[str], **arguments: Any) -> None:
        assert arguments["protectionEnabled"]
        self.calls.append((len(tasks), arguments["expiresInMinutes"]))


def test_many_workers_are_told_ten_at_a_time() -> None:
    ecs = Ecs()
    tell(ecs, "sm2a", Draining(begin=tuple(WORKERS * 3), end=tuple(WORKERS)))
    assert ecs.calls == [(4, OWN_MINUTES), (10, SIGN_MINUTES), (2, SIGN_MINUTES)]
