# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The decision, one table a rule: how many workers, when not to trust a read, and when a group may shrink."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from sm2a_autoscaler.decision.model import (
    Action,
    CapacitySchedule,
    Demand,
    Fleet,
    GroupObservation,
    Observation,
    PolicySettings,
    Source,
    Upcoming,
    WorkerGroup,
)
from sm2a_autoscaler.decision.policy import Memory, decide
from sm2a_autoscaler.decision.sizing import workers_needed

NOW = 1000.0


def demand(
    queued: int = 0, running: int = 0, busy: int = 0, at: float = NOW, source: Source = Source.DATABASE
) -> Demand:
    """A demand read ``at`` that time."""
    return Demand(queued=queued, running=running, read_at=at, busy_workers=busy, source=source)


def fleet(desired: int, at: float = NOW) -> Fleet:
    """A settled service."""
    return Fleet(desired=desired, running=desired, pending=0, read_at=at)


class Simulation:
    """One group decided at successive times, its decisions applied at once unless the test says otherwise."""

    def __init__(self, group: WorkerGroup, size: int) -> None:
        self.settings = PolicySettings((group,))
        self.group = group
        self.size = size
        self.memory = Memory()
        self.reasons: tuple[str, ...] = ()
        self.drain: int | None = 0

    def at(
        self, seconds: float, seen_demand: Demand | None, seen_fleet: Fleet | None = None
    ) -> tuple[Action, int | None]:
        """Decide at NOW + seconds on fresh reads; returns action and desired count."""
        now = NOW + seconds
        if seen_demand:
            seen_demand = dataclasses.replace(seen_demand, read_at=now)
        seen = GroupObservation(seen_demand, seen_fleet or fleet(self.size, now))
        (decision,), self.memory = decide(self.settings, Observation(now, {self.group.name: seen}), self.memory)
        self.reasons = decision.reasons
        self.drain = decision.drain
        if decision.desired is not None:
            self.size = decision.desired
        return decision.action, decision.desired


def need(group: WorkerGroup, seen: Demand) -> int:
    """Workers for that demand, within the limits of the group."""
    return min(max(workers_needed(group, seen, fleet(1)).start, group.minimum), group.maximum)


@pytest.mark.parametrize(
    ("queued", "running", "workers", "reason"),
    [
        (0, 0, 1, "the minimum is 1"),
        (1, 0, 1, "need 1"),
        (4, 0, 1, "need 1"),
        (4, 1, 2, "1 running"),
        (0, 5, 2, "5 running"),
        (39, 1, 10, "need 10"),
        (40, 1, 10, "the maximum is 10"),
        (5000, 0, 10, "need 1250"),
    ],
)
def test_a_group_needs_its_tasks_divided_by_concurrency_within_its_limits(
    group: WorkerGroup, queued: int, running: int, workers: int, reason: str
) -> None:
    simulation = Simulation(group, size=1)
    assert simulation.at(0, demand(queued, running))[1] == workers
    assert reason in "; ".join(simulation.reasons)


def test_a_minimum_of_zero_needs_no_worker_without_tasks(group: WorkerGroup) -> None:
    assert need(dataclasses.replace(group, minimum=0), demand()) == 0


def test_a_larger_need_is_met_at_once_and_in_one_step(group: WorkerGroup) -> None:
    simulation = Simulation(group, size=1)
    assert simulation.at(0, demand(queued=36)) == (Action.SCALE_OUT, 9)
    assert simulation.at(10, demand(queued=40)) == (Action.SCALE_OUT, 10)


def test_scheduled_tasks_are_not_counted(group: WorkerGroup) -> None:
    assert need(group, Demand(queued=0, running=0, read_at=NOW, scheduled=100)) == 1


@pytest.mark.parametrize(("size", "action", "desired"), [(0, Action.SCALE_OUT, 1), (1, Action.KEEP, 1)])
def test_a_group_below_its_minimum_is_raised(group: WorkerGroup, size: int, action: Action, desired: int) -> None:
    assert Simulation(group, size).at(0, demand()) == (action, desired)


def test_a_smaller_need_waits_for_the_whole_hold(group: WorkerGroup) -> None:
    simulation = Simulation(group, size=5)
    for seconds in range(0, 60, 10):
        assert simulation.at(seconds, demand(queued=4)) == (Action.KEEP, 5), seconds
    assert "kept for 60 s" in "; ".join(simulation.reasons)
    assert simulation.at(60, demand(queued=4)) == (Action.SCALE_IN, 1)
    assert "scaling in" in "; ".join(simulation.reasons)


def test_a_new_peak_restarts_the_hold(group: WorkerGroup) -> None:
    simulation = Simulation(group, size=5)
    simulation.at(0, demand())
    simulation.at(50, demand(queued=20))
    assert simulation.at(100, demand()) == (Action.KEEP, 5)
    assert simulation.at(109, demand()) == (Action.KEEP, 5)
    assert simulation.at(110, demand()) == (Action.SCALE_IN, 1)


def test_a_falling_need_is_followed_at_the_distance_of_the_hold(group: WorkerGroup) -> None:
    simulation = Simulation(group, size=8)
    simulation.at(0, demand(queued=32))
    simulation.at(30, demand(queued=20))
    assert simulation.at(50, demand()) == (Action.KEEP, 8)
    assert simulation.at(60, demand()) == (Action.SCALE_IN, 5)
    assert simulation.at(80, demand()) == (Action.KEEP, 5)
    assert simulation.at(90, demand()) == (Action.SCALE_IN, 1)


def test_workers_that_run_tasks_are_not_scaled_in(group: WorkerGroup) -> None:
    simulation = Simulation(group, size=6)
    spread = demand(running=4, busy=4)
    simulation.at(0, spread)
    simulation.at(50, spread)
    assert simulation.at(60, spread) == (Action.SCALE_IN, 4)
    assert "4 workers run tasks" in "; ".join(simulation.reasons)
    assert simulation.at(70, demand(running=1, busy=1)) == (Action.SCALE_IN, 1)


def test_busy_workers_are_kept_even_above_a_lowered_maximum(group: WorkerGroup) -> None:
    simulation = Simulation(dataclasses.replace(group, maximum=2), size=6)
    busy = demand(running=20, busy=5)
    simulation.at(0, busy)
    simulation.at(50, busy)
    assert simulation.at(60, busy) == (Action.SCALE_IN, 5)


def test_busy_workers_are_never_a_reason_to_grow(group: WorkerGroup) -> None:
    # Killed workers' tasks stay `running` in the database for minutes.
    assert Simulation(group, size=1).at(0, demand(running=3, busy=3)) == (Action.KEEP, 1)


def test_workers_with_many_slots_drain_when_the_others_have_room_for_their_tasks(group: WorkerGroup) -> None:
    simulation = Simulation(dataclasses.replace(group, concurrency=16), size=5)
    spread = demand(running=20, busy=5)
    for seconds in range(0, 60, 10):
        assert simulation.at(seconds, spread) == (Action.KEEP, 5)
        assert simulation.drain == 0, "not before the hold is over"
    assert simulation.at(60, spread) == (Action.KEEP, 5)
    assert simulation.drain == 3
    assert "3 of them drain" in "; ".join(simulation.reasons)
    assert simulation.at(70, demand(running=15, busy=4)) == (Action.SCALE_IN, 4)
    assert simulation.drain == 2
    assert simulation.at(80, demand(running=14, busy=3)) == (Action.SCALE_IN, 3)
    assert simulation.drain == 1
    assert simulation.at(90, demand(queued=20, running=14, busy=3)) == (Action.KEEP, 3)
    assert simulation.drain == 0, "all take the new tasks"
    assert simulation.at(100, None)[0] is Action.HOLD
    assert simulation.drain is None, "what drains is left alone while nothing is known"


def test_workers_with_few_slots_do_not_drain(group: WorkerGroup) -> None:
    simulation = Simulation(group, size=5)
    for seconds in range(0, 130, 10):
        assert simulation.at(seconds, demand(running=5, busy=5)) == (Action.KEEP, 5)
        assert simulation.drain == 0


def test_a_need_to_come_keeps_workers_but_starts_none(group: WorkerGroup) -> None:
    later = (Upcoming(120, 12, 60.0),)
    simulation = Simulation(group, size=3)
    for seconds in range(0, 130, 10):
        assert simulation.at(seconds, Demand(queued=0, running=0, read_at=NOW, upcoming=later)) == (Action.KEEP, 3)
    assert "3 are needed within 150 s" in simulation.reasons
    assert Simulation(group, size=1).at(0, Demand(queued=0, running=0, read_at=NOW, upcoming=later)) == (Action.KEEP, 1)


def test_a_schedule_raises_the_minimum_at_its_hours(group: WorkerGroup) -> None:
    hours = CapacitySchedule(
        days=frozenset({0}), begin=time(8), end=time(18), time_zone=ZoneInfo("Europe/Berlin"), minimum=4
    )
    busy_hours = dataclasses.replace(group, schedules=(hours,))
    monday = datetime(2026, 6, 1, 6, 30, tzinfo=UTC)
    seen = {"default": GroupObservation(demand(), fleet(1))}
    for wall, desired in ((monday, 4), (monday.replace(hour=5), 1), (None, 1)):
        (decision,), _ = decide(PolicySettings((busy_hours,)), Observation(NOW, seen, wall), Memory())
        assert decision.desired == desired
        assert ("the minimum is 4 by schedule" in decision.reasons) is (desired == 4)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (GroupObservation(None, fleet(3), ("the database is away",)), "the database is away"),
        (GroupObservation(None, fleet(3)), "the demand could not be read"),
        (GroupObservation(demand(40), None, ("ECS said no",)), "ECS said no"),
        (GroupObservation(demand(40), None), "the service could not be read"),
        (GroupObservation(demand(40, at=NOW - 31), fleet(3)), "the demand was read 31 s ago, more than 30 s"),
        (GroupObservation(demand(40), fleet(3, at=NOW - 45)), "the service was read 45 s ago"),
    ],
)
def test_a_failed_or_stale_read_holds_the_size_and_says_so(
    group: WorkerGroup, seen: GroupObservation, reason: str
) -> None:
    (decision,), memory = decide(PolicySettings((group,)), Observation(NOW, {"default": seen}), Memory())
    assert decision.action is Action.HOLD
    assert decision.desired == decision.current == (3 if seen.fleet else None)
    assert reason in "; ".join(decision.reasons)
    assert decision.reasons[-1] == "the size is held"
    assert not memory.groups


def test_a_read_just_within_the_limit_is_used(group: WorkerGroup) -> None:
    seen = GroupObservation(demand(40, at=NOW - 30), fleet(3, at=NOW - 30))
    (decision,), _ = decide(PolicySettings((group,)), Observation(NOW, {"default": seen}), Memory())
    assert decision.desired == 10


def test_an_unobserved_group_is_held(group: WorkerGroup) -> None:
    (decision,), _ = decide(PolicySettings((group,)), Observation(NOW, {}), Memory())
    assert decision.action is Action.HOLD
    assert decision.desired is None


def test_approximate_counts_scale_out_but_never_in(group: WorkerGroup) -> None:
    simulation = Simulation(group, size=3)
    for seconds in range(0, 300, 10):
        assert simulation.at(seconds, demand(source=Source.SQS)) == (Action.HOLD, 3)
    assert "only ever scale out" in "; ".join(simulation.reasons)
    assert simulation.at(300, demand(queued=20, source=Source.SQS)) == (Action.SCALE_OUT, 5)


def test_a_restart_or_an_outage_is_not_followed_by_a_sudden_scale_in(group: WorkerGroup) -> None:
    simulation = Simulation(group, size=5)
    simulation.at(0, demand())
    simulation.at(50, demand())
    for seconds in range(60, 200, 10):
        assert simulation.at(seconds, None)[0] is Action.HOLD
    assert simulation.at(200, demand()) == (Action.KEEP, 5)
    assert simulation.at(259, demand()) == (Action.KEEP, 5)
    assert simulation.at(260, demand()) == (Action.SCALE_IN, 1)


def test_a_single_failed_read_does_not_restart_the_hold(group: WorkerGroup) -> None:
    simulation = Simulation(group, size=5)
    simulation.at(0, demand())
    simulation.at(30, demand())
    simulation.at(40, None)
    assert simulation.at(60, demand()) == (Action.SCALE_IN, 1)


def test_groups_are_decided_separately(group: WorkerGroup) -> None:
    large = dataclasses.replace(group, name="large", queue="large", service="worker-large", concurrency=1)
    observation = Observation(
        NOW, {"default": GroupObservation(demand(8), fleet(1)), "large": GroupObservation(None, fleet(4), ("no",))}
    )
    decisions, memory = decide(PolicySettings((group, large)), observation, Memory())
    assert [(item.group, item.service, item.action, item.desired) for item in decisions] == [
        ("default", "worker-default", Action.SCALE_OUT, 2),
        ("large", "worker-large", Action.HOLD, 4),
    ]
    assert list(memory.groups) == ["default"]


def test_every_decision_keeps_the_rules_on_random_load(group: WorkerGroup) -> None:
    """Limits, busy workers and the hold, checked against a plain restatement of the rules over 8,000 ticks."""
    source = random.Random(7)  # noqa: S311 (repeatable, not secret)
    simulation = Simulation(group, size=1)
    needs: list[tuple[float, int]] = []
    running = seconds = 0
    for _ in range(8_000):
        seconds += source.choice([5, 10, 10, 15])
        running = max(0, running + source.randint(-6, 6))
        busy = source.randint(-(-running // group.concurrency), running)
        seen = dataclasses.replace(
            demand(queued=source.choice([0, 0, 0, 3, 17]), running=running, busy=busy),
            remaining_seconds=tuple(source.uniform(0, 300) for _ in range(source.randint(0, running))),
            upcoming=tuple(Upcoming(source.uniform(0, 300), 3, source.choice([None, 5.0, 90.0])) for _ in range(2)),
            mean_task_seconds=source.choice([None, 4.0, 60.0]),
            unscheduled_rate=source.choice([0.0, 0.3]),
        )
        before = simulation.size
        action, after = simulation.at(seconds, seen)
        assert after is not None
        needed = need(group, seen)
        needs.append((seconds, needed))
        recent = max(value for at, value in needs if at > seconds - 60)
        assert after >= needed
        assert after <= max(group.maximum, before)
        assert after >= min(before, recent)
        if after < before:
            assert action is Action.SCALE_IN
            assert after >= min(busy, before)
        needs = needs[-60:]
