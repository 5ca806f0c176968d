# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Each peer's rule on cases worked out by hand, and what keeps the comparison fair."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass, field

import pytest
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.goals import goals
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.policies.contenders import (
    CLAIRVOYANT,
    CONTENDERS,
    FIXED_MAXIMUM,
    KEDA,
    MWAA,
    ORIGINAL,
    OURS,
    OURS_QUICK,
)
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.policies.peers import (
    Keda,
    Mwaa,
    Original,
    TargetTracking,
)
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.scores import (
    Case,
    Conditions,
    Score,
    Total,
    percentile,
    play,
)
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.simulation.model import Cloud, Policy
from ansible_collections.sm2a.airflow.tests.benchmarks.autoscaling.workloads.sets import REPORT, TUNING, cron_burst
from sm2a_autoscaler.decision.model import Demand


@dataclass
class Seen:
    """A state as a policy sees it: five slots a worker, one to twenty workers."""

    now: float = 0.0
    queued: int = 0
    running: int = 0
    desired: int = 1
    starting: int = 0
    ready: int = 1
    busy: int = 0
    protected: int = 0
    cloud: Cloud = field(default_factory=Cloud)

    def demand(self) -> Demand:
        """Peers do not look ahead."""
        raise AssertionError

    def start_up_seconds(self) -> float | None:
        """Nor do they learn."""
        raise AssertionError


def orders(policy: Policy, *states: Seen) -> list[int]:
    """The workers ordered in a sequence of states, each with the size that was ordered before."""
    ordered: list[int] = []
    for state in states:
        seen = dataclasses.replace(state, desired=ordered[-1]) if ordered else state
        ordered.append(policy.order(seen).workers)
    return ordered


def test_the_original_adds_one_above_a_hundred_per_cent_and_drops_the_idle_when_nothing_waits() -> None:
    policy = Original(divisor=5)
    assert orders(policy, Seen(queued=6)) == [2]
    assert orders(policy, Seen(queued=5)) == [1]
    assert orders(policy, Seen(queued=1, running=8, ready=5, busy=3, desired=5)) == [5], "something waits"
    assert orders(policy, Seen(running=8, ready=5, busy=3, desired=5)) == [3]
    assert orders(policy, Seen(queued=900, ready=20, desired=20)) == [20]
    assert orders(Original(divisor=20), Seen(queued=19)) == [1], "read literally, 19 tasks are less than one worker's"
    assert orders(policy, Seen(queued=1, ready=0, desired=0)) == [1]


def test_keda_grows_by_four_or_twofold_and_shrinks_to_the_largest_of_five_minutes() -> None:
    policy = Keda()
    assert orders(policy, *(Seen(now=5.0 * tick, queued=100) for tick in range(8))) == [5, 5, 5, 10, 10, 10, 20, 20]
    policy = Keda()
    seen = [Seen(now=0.0, queued=20, desired=4), *(Seen(now=5.0 * tick) for tick in range(1, 61))]
    assert orders(policy, *seen)[-2:] == [4, 1]


def test_mwaa_grows_at_once_and_shrinks_after_five_low_minutes() -> None:
    assert orders(Mwaa(), Seen(queued=41), *([Seen(running=6)] * 5)) == [9, 9, 9, 9, 9, 2]


def test_target_tracking_needs_three_points_to_grow_and_fifteen_to_shrink() -> None:
    high = Seen(queued=30, ready=2, desired=2)
    assert orders(TargetTracking(), high, high, high) == [2, 2, 6]
    low = [Seen(ready=10, desired=10)] * 15
    assert orders(TargetTracking(), *low)[-2:] == [10, 9]


def test_nothing_of_the_report_is_used_for_tuning() -> None:
    assert not set(REPORT.seeds) & set(TUNING.seeds)
    for name, value in dataclasses.asdict(REPORT).items():
        assert value != getattr(TUNING, name), name
    assert not set(REPORT.recipes) & set(TUNING.recipes)


def test_all_contenders_play_and_ours_kills_nothing_and_waits_least_but_for_the_bounds() -> None:
    # A stream of the tests' own: two hours of bursts every quarter of an hour.
    made = cron_burst(dataclasses.replace(TUNING, cron_minutes=(15,)), random.Random(8))  # noqa: S311 (not secret)
    short = dataclasses.replace(made, seconds=7200.0, runs=tuple(run for run in made.runs if run.at < 7200))
    totals = {
        item.name: play(item, [Case(1, short)], Conditions("test"), lambda *_: None)
        for item in CONTENDERS
        if item.name != "fixed minimum"
    }
    ours = totals[OURS]
    assert ours.killed == 0
    better = {name for name, total in totals.items() if total.wait < ours.wait}
    assert better <= {FIXED_MAXIMUM, OURS_QUICK, CLAIRVOYANT}
    assert ours.worker_hours < totals[KEDA].worker_hours


def test_a_goal_is_missed_by_the_slightest_excess() -> None:
    def total(name: str, wait: float, hours: float, killed: int = 0) -> Total:
        return Total(name, {"DAGs": Score(wait, hours, killed, span=100.0)})

    peers = {KEDA: total(KEDA, 12, 100), MWAA: total(MWAA, 16, 90), ORIGINAL: total(ORIGINAL, 32, 80)}
    peers[CLAIRVOYANT] = total(CLAIRVOYANT, 1, 90)
    judged = list(goals({**peers, OURS: total(OURS, 4, 92)}, ["DAGs"]))
    assert len(judged) == 7
    assert [goal.met for goal in judged] == [True] * 7
    judged = list(goals({**peers, OURS: total(OURS, 4.1, 95, killed=1)}, ["DAGs"]))
    assert [goal.met for goal in judged] == [False, False, False, False, False, True, False]


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.95, 10), (0.9, 9), (0.1, 1)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile(list(range(10, 0, -1)), share) == value
