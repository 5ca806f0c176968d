# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which workers drain, and how they are marked."""

from __future__ import annotations

from typing import Any

from sm2a_autoscaler.fleet import drains
from sm2a_autoscaler.fleet.drains import BUSY_WORKER_MINUTES, DRAIN_MARKER_MINUTES, Draining, choose, update_markers
from sm2a_autoscaler.fleet.ecs_tasks import Worker
from sm2a_runtime.worker import drain

WALL = 1_000_000.0
WORKERS = [Worker(arn=name, created_at=0, started_at=0, address=f"10.0.0.{name}", healthy=True) for name in "abcd"]
TASKS = {"10.0.0.a": 5, "10.0.0.b": 1, "10.0.0.c": 3}
OWN = dict.fromkeys("abc", WALL + 3600)


def names(draining: Draining) -> tuple[str, str]:
    """Names of the workers to mark and to unmark."""
    return "".join(worker.arn for worker in draining.mark), "".join(worker.arn for worker in draining.unmark)


def test_those_with_the_fewest_tasks_drain_first() -> None:
    assert names(choose(WORKERS, TASKS, OWN, 2, WALL)) == ("bc", "")
    assert choose(WORKERS, TASKS, OWN, 9, WALL).total == 3


def test_workers_that_drain_continue_even_with_more_tasks_than_others() -> None:
    protected = OWN | {"a": WALL + 170_000}
    assert names(choose(WORKERS, TASKS, protected, 1, WALL)) == ("", "")
    assert names(choose(WORKERS, TASKS, protected, 2, WALL)) == ("b", "")


def test_surplus_markers_are_removed() -> None:
    protected = dict.fromkeys("abc", WALL + 170_000)
    assert names(choose(WORKERS, TASKS, protected, 1, WALL)) == ("", "ca")
    assert names(choose(WORKERS, TASKS, protected, 0, WALL)) == ("", "bca")


def test_replaced_workers_drain_in_addition_to_the_wanted_number() -> None:
    assert names(choose(WORKERS, TASKS, OWN, 0, WALL, replaced=WORKERS[:1] + WORKERS[3:])) == ("a", "")
    assert names(choose(WORKERS, TASKS, OWN, 1, WALL, replaced=WORKERS[:1])) == ("ab", "")


def test_a_worker_without_protection_is_not_marked() -> None:
    assert names(choose(WORKERS, TASKS, {"a": WALL + 10}, 3, WALL)) == ("a", "")


def test_worker_and_autoscaler_agree_on_the_drain_marker() -> None:
    assert drains.DRAIN_MARKER_SECONDS == drain.DRAIN_MARKER_SECONDS
    assert 60 * BUSY_WORKER_MINUTES < drains.DRAIN_MARKER_SECONDS < 60 * DRAIN_MARKER_MINUTES


class Ecs:
    """Records the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def update_task_protection(self, tasks: list[str], **arguments: Any) -> None:
        assert arguments["protectionEnabled"]
        self.calls.append((len(tasks), arguments["expiresInMinutes"]))


def test_many_workers_are_marked_ten_at_a_time() -> None:
    ecs = Ecs()
    update_markers(ecs, "sm2a", Draining(mark=tuple(WORKERS * 3), unmark=tuple(WORKERS)))
    assert ecs.calls == [(4, BUSY_WORKER_MINUTES), (10, DRAIN_MARKER_MINUTES), (2, DRAIN_MARKER_MINUTES)]
