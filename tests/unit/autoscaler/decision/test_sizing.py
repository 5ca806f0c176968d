# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The forecast on cases worked out by hand: four slots a worker, a start-up of 90 s unless said otherwise."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from sm2a_autoscaler.decision.model import Demand, Fleet, Upcoming, WorkerGroup
from sm2a_autoscaler.decision.sizing import workers_needed

FLEET = Fleet(desired=1, running=1, pending=0, read_at=0.0)


def tasks(queued: int, running: int, **more: Any) -> Demand:
    """The demand of one queue."""
    return Demand(queued=queued, running=running, read_at=0.0, **more)


NOTHING = tasks(0, 0)


def needed(group: WorkerGroup, demand: Demand, fleet: Fleet = FLEET) -> tuple[int, int]:
    """(workers to start, workers to keep)."""
    need = workers_needed(group, demand, fleet)
    return need.start, need.keep


@pytest.mark.parametrize(
    ("demand", "start", "keep"),
    [
        pytest.param(NOTHING, 0, 0, id="nothing"),
        pytest.param(tasks(9, 8), 5, 5, id="17 tasks"),
        pytest.param(tasks(40, 0, mean_task_seconds=5), 3, 3, id="40 short tasks count as 10"),
        pytest.param(tasks(1, 0, mean_task_seconds=0.0), 1, 1, id="one short task is a task"),
        pytest.param(tasks(8, 0, mean_task_seconds=300), 2, 2, id="long tasks count in full"),
        pytest.param(tasks(0, 0, upcoming=(Upcoming(90, 8),)), 2, 2, id="due when a worker is ready"),
        pytest.param(tasks(0, 0, upcoming=(Upcoming(91, 8),)), 0, 2, id="due a little later"),
        pytest.param(tasks(0, 0, upcoming=(Upcoming(151, 8),)), 0, 0, id="due later than that"),
    ],
)
def test_what_waits_runs_and_is_due(group: WorkerGroup, demand: Demand, start: int, keep: int) -> None:
    assert needed(group, demand) == (start, keep)


def test_tasks_that_end_make_room_for_those_that_come(group: WorkerGroup) -> None:
    coming = tasks(0, 8, remaining_seconds=(30,) * 8, upcoming=(Upcoming(30, 8, 60),))
    assert needed(group, coming) == (2, 2)
    lasting = dataclasses.replace(coming, remaining_seconds=())
    assert needed(group, lasting) == (4, 4)
    too_early = dataclasses.replace(coming, upcoming=(Upcoming(20, 8, 60),))
    assert needed(group, too_early) == (4, 4)


def test_short_steps_of_a_chain_follow_one_another(group: WorkerGroup) -> None:
    steps = tuple(Upcoming(at, 4, 10) for at in (10, 20, 30, 40))
    assert needed(group, tasks(0, 4, remaining_seconds=(10,) * 4, upcoming=steps)) == (1, 1)
    unknown = tuple(Upcoming(at, 4) for at in (10, 20, 30, 40))
    assert needed(group, tasks(0, 4, remaining_seconds=(10,) * 4, upcoming=unknown)) == (4, 4)


def test_the_learned_start_up_time_is_how_far_it_looks(group: WorkerGroup) -> None:
    demand = tasks(0, 0, upcoming=(Upcoming(40, 8),))
    assert needed(group, demand, dataclasses.replace(FLEET, start_up_seconds=39)) == (0, 2)
    assert needed(group, demand, dataclasses.replace(FLEET, start_up_seconds=40)) == (2, 2)


def test_unannounced_tasks_replace_those_that_end_and_grow_by_a_tenth_at_most(group: WorkerGroup) -> None:
    # 0.5 tasks a second of 60 s each: 30 at a time. Forty run, all about to end.
    steady = tasks(0, 40, remaining_seconds=(30,) * 40, mean_task_seconds=60, unscheduled_rate=0.5)
    assert needed(group, steady)[0] == 10
    rising = dataclasses.replace(steady, remaining_seconds=(), unscheduled_rate=5.0)
    assert needed(group, rising)[0] == 11


def test_a_preference_for_latency_adds_standard_deviations(group: WorkerGroup) -> None:
    # 0.25 a second of 64 s: 16 at a time, standard deviation 4.
    demand = tasks(0, 16, mean_task_seconds=64, unscheduled_rate=0.25)
    cautious = dataclasses.replace(group, latency_preference=2.0)
    assert needed(group, demand)[0] == 5
    assert needed(cautious, demand)[0] == 7
    assert "8.0 slots are spare for unannounced tasks" in workers_needed(cautious, demand, FLEET).reasons


def test_without_look_ahead_only_the_present_counts(group: WorkerGroup) -> None:
    present = dataclasses.replace(group, look_ahead=False)
    demand = tasks(4, 4, upcoming=(Upcoming(0, 100),), mean_task_seconds=60, unscheduled_rate=9.0)
    assert needed(present, demand) == (2, 2)


def test_the_reasons_say_when_and_why(group: WorkerGroup) -> None:
    upcoming = (Upcoming(60, 8, 100), Upcoming(100, 4, 100))
    need = workers_needed(group, tasks(0, 2, upcoming=upcoming), FLEET)
    assert need.reasons == (
        "0 queued + 2 running tasks (database) at 4 per worker need 1",
        "3 are needed within 90 s, the time that a new worker takes",
        "4 are needed within 150 s",
    )
