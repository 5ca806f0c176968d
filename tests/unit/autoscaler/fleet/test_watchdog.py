# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which worker counts as hung: only one that is idle for long, without an excuse, and one at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import pytest
from sm2a_autoscaler.fleet.ecs_tasks import Worker
from sm2a_autoscaler.fleet.watchdog import GAP_SECONDS, IDLE_LIMIT_SECONDS, PAUSE_SECONDS, SETTLED_SECONDS, Watchdog

WALL = 1_000_000.0
OLD = Worker(arn="arn/a", created_at=WALL - 5000, started_at=WALL - 4900, address="10.0.0.1", healthy=True)
OTHER = Worker(arn="arn/b", created_at=WALL - 5000, started_at=WALL - 4900, address="10.0.0.2", healthy=True)


def watch(
    watchdog: Watchdog, workers: Sequence[Worker], busy: Collection[str], start: float, seconds: float
) -> list[str]:
    """Suspects after looks every ten seconds until that time."""
    suspects: list[str] = []
    for step in range(round(seconds / 10) + 1):
        now = start + 10 * step
        suspects = [suspect.worker.name for suspect in watchdog.suspects(workers, busy, now, WALL + now)]
    return suspects


def test_only_a_worker_that_is_idle_for_long_is_suspected() -> None:
    watchdog = Watchdog()
    assert watch(watchdog, [OLD, OTHER], {"10.0.0.2"}, 0, IDLE_LIMIT_SECONDS - 10) == []
    assert watch(watchdog, [OLD, OTHER], {"10.0.0.2"}, IDLE_LIMIT_SECONDS, 0) == ["a"]


@pytest.mark.parametrize(
    "worker",
    [
        dataclasses.replace(OLD, healthy=False),
        dataclasses.replace(OLD, address=None),
        dataclasses.replace(OLD, started_at=None),
        dataclasses.replace(OLD, started_at=WALL + IDLE_LIMIT_SECONDS - SETTLED_SECONDS + 1),
    ],
)
def test_a_worker_that_is_not_ready_or_not_known_is_never_suspected(worker: Worker) -> None:
    assert watch(Watchdog(), [worker], (), 0, IDLE_LIMIT_SECONDS) == []


def test_one_task_in_between_is_enough_to_be_trusted_again() -> None:
    watchdog = Watchdog()
    watch(watchdog, [OLD], (), 0, 100)
    watch(watchdog, [OLD], {"10.0.0.1"}, 110, 0)
    assert watch(watchdog, [OLD], (), 120, IDLE_LIMIT_SECONDS - 10) == []
    assert watch(watchdog, [OLD], (), 120 + IDLE_LIMIT_SECONDS, 0) == ["a"]


def test_a_pause_of_the_queue_or_of_the_looks_starts_anew() -> None:
    watchdog = Watchdog()
    watch(watchdog, [OLD], (), 0, 170)
    watchdog.reset()
    assert watch(watchdog, [OLD], (), 180, IDLE_LIMIT_SECONDS - 10) == []
    assert watch(watchdog, [OLD], (), 350 + GAP_SECONDS + 1, 0) == []


def test_the_longest_idle_comes_first_and_only_one_goes_at_a_time() -> None:
    watchdog = Watchdog()
    watch(watchdog, [OTHER], (), 0, 20)
    assert watch(watchdog, [OLD, OTHER], (), 30, IDLE_LIMIT_SECONDS) == ["b", "a"]
    watchdog.stopped(30 + IDLE_LIMIT_SECONDS)
    assert watch(watchdog, [OLD], (), 40 + IDLE_LIMIT_SECONDS, PAUSE_SECONDS - 20) == []
    assert watch(watchdog, [OLD], (), 30 + IDLE_LIMIT_SECONDS + PAUSE_SECONDS, 0) == ["a"]
