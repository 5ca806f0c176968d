# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulator against queueing theory and against cases worked out by hand."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

import pytest
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.policies.clairvoyant import Clairvoyant
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.policies.peers import Fixed, Keda
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.simulation.model import (
    Cloud,
    Order,
    Platform,
    Run,
    Task,
    Victims,
    View,
    Workload,
)
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.simulation.queueing import erlang_c, mean_wait
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.simulation.simulator import simulate
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.simulation.workers import (
    IDLE_GRACE_SECONDS,
    PAUSE_SECONDS,
    STAY_SECONDS,
)
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.workloads.sets import single
from sm2a_autoscaler.decision.model import Upcoming
from sm2a_runtime.worker import drain
from sm2a_runtime.worker.protection import ProtectionPolicy

# A start-up takes a minute to the second, and orders are carried out at once.
EXACT = Cloud(concurrency=2, minimum=0, maximum=4, start_up_median=60.0, start_up_sigma=0.0, order_seconds=0.0)
PROTECTED = Platform(10.0, Victims.PROTECTED)


class Script:
    """Orders by time: the last one whose time has come."""

    def __init__(self, orders: Sequence[tuple[float, Order]]) -> None:
        self.orders = orders
        self.views: list[View] = []

    def order(self, view: View) -> Order:
        """Ignores the state, but keeps what it was shown."""
        self.views.append(view)
        return [order for at, order in self.orders if at <= view.now][-1]


class Watching:
    """One worker, and a record of what was upcoming at each tick."""

    def __init__(self) -> None:
        self.upcoming: dict[float, tuple[Upcoming, ...]] = {}

    def order(self, view: View) -> Order:
        """Always one."""
        self.upcoming[view.now] = view.demand().upcoming
        return Order(1)


def workload(*runs: Run, seconds: float = 1000.0) -> Workload:
    """Those runs."""
    return Workload("test", seconds, runs)


def test_erlang_c_is_that_of_the_textbooks() -> None:
    assert erlang_c(1, 0.5) == pytest.approx(0.5)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert erlang_c(10, 8.0) == pytest.approx(0.409, abs=0.001)
    assert mean_wait(1, 0.5, 1.0) == pytest.approx(1.0)


@pytest.mark.parametrize(("workers", "slots", "load"), [(2, 4, 6.0), (3, 1, 2.4)])
def test_a_fixed_fleet_waits_as_long_as_queueing_theory_says(workers: int, slots: int, load: float) -> None:
    stream, at, runs = random.Random(5), 0.0, []  # noqa: S311 (repeatable, not secret)
    for _ in range(30_000):
        at += stream.expovariate(load)
        runs.append(single(at, "task", stream.expovariate(1.0)))
    cloud = dataclasses.replace(EXACT, concurrency=slots, minimum=workers, maximum=workers)
    result = simulate(workload(*runs, seconds=at), Fixed(workers), Platform(1000.0, Victims.PROTECTED), cloud, 1)
    assert sum(result.waits) / len(result.waits) == pytest.approx(mean_wait(workers * slots, load, 1.0), rel=0.07)
    assert len(result.waits) == 30_000


def test_a_task_waits_for_the_first_worker_and_is_paid_for_from_the_image_pull() -> None:
    result = simulate(workload(single(5.0, "task", 100.0), seconds=200), Script([(0, Order(1))]), PROTECTED, EXACT, 1)
    ordered = 60.0 - result.waits[0] + 5.0
    assert 0 <= ordered <= 10, "the first tick"
    assert result.spans == [pytest.approx(result.waits[0] + 100)]
    assert result.worker_seconds == pytest.approx(200 - ordered - EXACT.unbilled_seconds, abs=10.1)


def test_a_worker_is_paid_for_a_minute_at_least() -> None:
    orders = Script([(0, Order(1)), (65, Order(0))])
    result = simulate(workload(seconds=300), orders, PROTECTED, EXACT, 1)
    assert result.worker_seconds == 60.0


def test_a_protected_worker_is_stopped_only_when_it_has_been_idle_for_ten_seconds() -> None:
    orders = Script([(0, Order(1)), (100, Order(0))])
    result = simulate(workload(single(0.0, "long", 500.0)), orders, PROTECTED, EXACT, 1)
    assert result.killed == 0
    assert result.worker_seconds == pytest.approx(60 + 500 + 10 - EXACT.unbilled_seconds, abs=0.01)


def test_a_busy_worker_without_protection_is_killed_after_its_grace_and_the_task_starts_anew() -> None:
    orders = Script([(0, Order(1)), (100, Order(0)), (300, Order(1))])
    platform = Platform(10.0, Victims.NEWEST, grace_seconds=120.0)
    result = simulate(workload(single(0.0, "long", 500.0)), orders, platform, EXACT, 1)
    assert result.killed == 1
    assert len(result.waits) == 1
    assert result.spans[0] == pytest.approx(300 + 60 + 500, abs=10)
    with_grace = dataclasses.replace(platform, grace_seconds=600.0)
    assert simulate(workload(single(0.0, "long", 500.0)), orders, with_grace, EXACT, 1).killed == 0


def test_workers_have_the_same_grace_as_the_real_ones() -> None:
    assert (PAUSE_SECONDS, STAY_SECONDS) == (drain.PAUSE_SECONDS, drain.STAY_SECONDS)
    assert ProtectionPolicy(expires_minutes=60).idle_grace_seconds == IDLE_GRACE_SECONDS


def test_a_draining_worker_takes_nothing_new_and_ends() -> None:
    cloud = dataclasses.replace(EXACT, concurrency=16, minimum=1, drain_seconds=0.0)
    tasks = workload(*(single(5.0 * number, "task", 60.0) for number in range(20, 200)), seconds=1100)
    spread = Script([(0, Order(4)), (600, Order(2))])
    drained = Script([(0, Order(4)), (600, Order(2, drain=2)), (700, Order(2))])
    for script in (spread, drained):
        assert simulate(tasks, script, PROTECTED, cloud, 3).killed == 0
    ready = [[view.ready for view in script.views if 700 < view.now < 750] for script in (spread, drained)]
    assert min(ready[0]) > 2, "twelve tasks on four workers hardly ever leave one of these idle"
    assert max(ready[1]) == 2


def test_downstream_tasks_are_expected_when_their_parents_end_by_experience() -> None:
    chain = (Task("extract", 60.0), Task("load", 40.0, (0,)), Task("report", 10.0, (1,)))
    cloud = dataclasses.replace(EXACT, minimum=1)
    runs = workload(Run(0.0, chain), Run(900.0, chain, announced=True), seconds=1200)
    watching = Watching()
    simulate(runs, watching, PROTECTED, cloud, 1)
    upcoming = watching.upcoming
    first = next(now for now in upcoming if 0 < now < 60)
    assert upcoming[first] == (), "nothing is known of them yet"
    before = next(now for now in upcoming if 880 < now < 900)
    due = 900 - before
    assert [item.in_seconds for item in upcoming[before]] == pytest.approx([due, due + 60, due + 100])
    assert [item.seconds for item in upcoming[before]] == pytest.approx([60, 40, 10])
    during = next(now for now in upcoming if 900 < now < 960)
    assert upcoming[during][0].in_seconds == pytest.approx(960 - during)


def test_the_clairvoyant_has_workers_ready_and_no_more_than_needed() -> None:
    burst = [single(500.0, "task", 100.0) for _ in range(6)]
    policy = Clairvoyant(workload(*burst), EXACT, 1, 10.0)
    result = simulate(workload(*burst), policy, PROTECTED, EXACT, 1)
    assert max(result.waits) == 0
    assert result.launched == 3
    assert result.worker_seconds <= 3 * (100 + 60 + 10 + 10 + 10)


def test_the_same_seed_gives_the_same_result_and_another_one_another() -> None:
    stream = random.Random(3)  # noqa: S311 (repeatable, not secret)
    tasks = workload(*(single(float(at), "task", stream.uniform(10, 90)) for at in range(0, 1000, 5)))
    cloud = Cloud(maximum=6)
    results = [simulate(tasks, Keda(), Platform(5.0, Victims.NEWEST), cloud, seed) for seed in (1, 1, 2)]
    assert results[0] == results[1]
    assert results[0] != results[2]
