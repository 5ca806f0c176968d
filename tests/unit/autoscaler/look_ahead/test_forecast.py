# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is expected of each queue, from runs in progress, runs that start, and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from sm2a_autoscaler.decision.model import Upcoming
from sm2a_autoscaler.look_ahead.forecast import keys_of_interest, look_ahead
from sm2a_autoscaler.look_ahead.model import (
    Arrivals,
    Past,
    Progress,
    QueueOutlook,
    RunningTask,
    StartingRuns,
    TaskKey,
    TaskStateCount,
)
from sm2a_autoscaler.look_ahead.structures import DagStructure, TaskShape

# extract -> two transforms, one of them in another queue -> load; both transforms take a minute, the others 10 s.
STRUCTURE = DagStructure(
    {
        "extract": TaskShape(None, frozenset(), 1, True),
        "small": TaskShape(None, frozenset({"extract"}), 1, True),
        "large": TaskShape("large", frozenset({"extract"}), None, True),
        "load": TaskShape(None, frozenset({"small", "large"}), 1, True),
    },
    16,
)
SECONDS = {"extract": 10.0, "small": 60.0, "large": 60.0, "load": 10.0}


class Memory:
    """A history in which the large transform had seven instances."""

    def __init__(self, seconds: Mapping[str, float] = SECONDS) -> None:
        self.seconds = seconds

    def of(self, key: TaskKey) -> Past | None:
        seconds = self.seconds.get(key[1])
        return Past((seconds,), 7 if key[1] == "large" else 1) if seconds is not None else None


def state_of(task: str, state: str | None, count: int = 1) -> TaskStateCount:
    """Instances of a task of the one run."""
    return TaskStateCount(
        dag_id="dag",
        run_id="run",
        task_id=task,
        state=state,
        queue="large" if task == "large" else "default",
        version="v",
        count=count,
    )


def running(task: str, elapsed: float = 4) -> RunningTask:
    """An instance that runs."""
    return RunningTask(
        dag_id="dag", run_id="run", task_id=task, queue="large" if task == "large" else "default", elapsed=elapsed
    )


def outlook(
    progress: Progress, past: Memory | None = None, structure: DagStructure = STRUCTURE
) -> Mapping[str, QueueOutlook]:
    """The outlook by queue."""
    return look_ahead(progress, {"v": structure}, past or Memory(), default_queue="default", horizon_seconds=300)


PENDING = tuple(state_of(task, None) for task in ("small", "large", "load"))


def test_what_follows_a_running_task_is_foreseen_step_by_step() -> None:
    found = outlook(Progress(running=(running("extract"),), task_states=(state_of("extract", "running"), *PENDING)))
    # 6 s are left of the extract; the load follows the transforms. The mapped one is as wide as last time.
    assert found["default"].upcoming == (Upcoming(6, 1, 60), Upcoming(66, 1, 10))
    assert found["large"].upcoming == (Upcoming(6, 7, 60),)
    assert found["default"].remaining_seconds == (6,)


def test_tasks_that_are_ready_are_expected_at_any_moment() -> None:
    found = outlook(Progress(task_states=(state_of("extract", "success"), *PENDING)))
    assert found["default"].upcoming[0] == Upcoming(0, 1, 60)


def test_queued_parents_count_from_now_and_are_not_counted_again() -> None:
    found = outlook(Progress(task_states=(state_of("extract", "queued"), *PENDING)))
    assert found["default"].upcoming == (Upcoming(10, 1, 60), Upcoming(70, 1, 10))


def test_expanded_instances_count_as_they_are_and_the_last_one_is_waited_for() -> None:
    found = outlook(
        Progress(
            running=(running("large", 50), running("large", 20), running("small", 59)),
            task_states=(
                state_of("extract", "success"),
                state_of("small", "running"),
                state_of("large", "success", 3),
                state_of("large", "running", 2),
                state_of("load", None),
            ),
        )
    )
    assert found["default"].upcoming == (Upcoming(40, 1, 10),)
    assert found["large"].upcoming == ()
    assert found["large"].remaining_seconds == (10, 40)


def test_instances_of_one_task_in_two_versions_count_together() -> None:
    versions = (state_of("large", None, 3), replace(state_of("large", None, 2), version="older"))
    found = outlook(Progress(task_states=(state_of("extract", "success"), *versions, state_of("load", None))))
    assert found["large"].upcoming == (Upcoming(0, 5, 60),)


@pytest.mark.parametrize("state", ["failed", "skipped", "upstream_failed", "up_for_retry", "deferred"])
def test_nothing_is_foreseen_after_what_did_not_go_well(state: str) -> None:
    assert not outlook(Progress(task_states=(state_of("extract", state), *PENDING)))


def test_nothing_is_foreseen_after_a_task_without_history() -> None:
    progress = Progress(running=(running("extract"),), task_states=(state_of("extract", "running"), *PENDING))
    assert not outlook(progress, Memory({"small": 60.0}))


def test_nothing_is_foreseen_of_an_unknown_dag() -> None:
    progress = Progress(
        task_states=(state_of("extract", "success"), *PENDING),
        starting=(StartingRuns(dag_id="dag", version="v", in_seconds=0, runs=1),),
    )
    assert not look_ahead(progress, {}, Memory(), default_queue="default", horizon_seconds=300)


def test_tasks_that_the_structure_hides_block_what_comes_after_them() -> None:
    hidden = {**STRUCTURE.tasks, "small": TaskShape(None, frozenset({"extract"}), 1, False)}
    found = outlook(
        Progress(task_states=(state_of("extract", "success"), *PENDING)), structure=DagStructure(hidden, 16)
    )
    assert "default" not in found
    assert found["large"].upcoming == (Upcoming(0, 7, 60),)


def test_a_task_without_an_instance_blocks() -> None:
    found = outlook(Progress(task_states=(state_of("extract", "success"), *PENDING[1:])))
    assert "default" not in found


def test_the_limit_of_the_dag_makes_tasks_wait_for_their_turn() -> None:
    structure = DagStructure(STRUCTURE.tasks, 3)
    found = outlook(Progress(task_states=(state_of("extract", "success"), *PENDING)), structure=structure)
    # Eight tasks of a minute and the load, three at a time.
    assert found["default"].upcoming == (Upcoming(0, 1, 60), Upcoming(120, 1, 10))
    assert found["large"].upcoming == (Upcoming(0, 2, 60), Upcoming(60, 3, 60), Upcoming(120, 2, 60))


def test_active_tasks_count_against_the_limit_until_they_end() -> None:
    structure = DagStructure(STRUCTURE.tasks, 2)
    progress = Progress(
        running=(running("small", 40),),
        task_states=(
            state_of("extract", "success"),
            state_of("small", "running"),
            state_of("large", "queued"),
            state_of("large", None, 3),
            state_of("load", None),
        ),
    )
    assert outlook(progress, structure=structure)["large"].upcoming == (
        Upcoming(20, 1, 60),
        Upcoming(60, 1, 60),
        Upcoming(80, 1, 60),
    )


def test_runs_that_start_are_foreseen_with_all_that_follows() -> None:
    found = outlook(
        Progress(
            starting=(
                StartingRuns(dag_id="dag", version="v", in_seconds=120.4, runs=2),
                StartingRuns(dag_id="dag", version=None, in_seconds=5, runs=1),
            )
        )
    )
    assert found["default"].upcoming == (Upcoming(120, 2, 10), Upcoming(130, 2, 60), Upcoming(190, 2, 10))
    assert found["large"].upcoming == (Upcoming(130, 14, 60),)


def test_a_run_that_starts_any_moment_begins_now() -> None:
    found = outlook(
        Progress(
            starting=(
                StartingRuns(dag_id="dag", version="v", in_seconds=0, runs=1),
                StartingRuns(dag_id="dag", version="v", in_seconds=0, runs=0),
            )
        )
    )
    assert found["default"].upcoming[0] == Upcoming(0, 1, 10)


def test_nothing_beyond_the_horizon_is_forecast() -> None:
    assert not outlook(Progress(starting=(StartingRuns(dag_id="dag", version="v", in_seconds=301, runs=1),)))


def test_unannounced_runs_make_a_rate_of_their_first_tasks() -> None:
    found = outlook(Progress(arrivals=(Arrivals("dag", "v", 30),)))
    assert found == {"default": QueueOutlook(unscheduled_rate=0.1)}


def test_the_mean_is_of_the_tasks_that_wait_or_run() -> None:
    found = outlook(
        Progress(
            task_states=(
                state_of("extract", "queued", 3),
                state_of("small", "running", 1),
                state_of("load", "success", 9),
            )
        )
    )
    assert found["default"].mean_task_seconds == pytest.approx((3 * 10 + 60) / 4)


def test_tasks_whose_past_is_needed_are_named_the_most_telling_first() -> None:
    progress = Progress(
        running=(running("extract"),),
        task_states=(state_of("load", None), state_of("small", "queued")),
        starting=(StartingRuns(dag_id="other", version="v", in_seconds=0, runs=1),),
    )
    keys = list(keys_of_interest(progress, {"v": STRUCTURE}))
    assert keys[:3] == [("dag", "extract"), ("dag", "small"), ("dag", "load")]
    assert keys[3:] == [("other", task) for task in STRUCTURE.tasks]
