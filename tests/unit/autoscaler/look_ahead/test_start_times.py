# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Expected times of what is still to come of a run, worked out by hand."""

from __future__ import annotations

from sm2a_autoscaler.decision.model import Upcoming
from sm2a_autoscaler.look_ahead.start_times import Outstanding, expected_tasks


def test_each_task_comes_when_its_last_parent_ends() -> None:
    run = [
        Outstanding((), -40.0, 100.0),
        Outstanding((), 0.0, 30.0),
        Outstanding((0, 1), None, 20.0, tasks=5),
        Outstanding((1,), None, 10.0),
        Outstanding((2, 3), None, None),
    ]
    assert expected_tasks(run, 300) == [Upcoming(60, 5, 20), Upcoming(30, 1, 10), Upcoming(80, 1, None)]
    assert expected_tasks(run, 60) == [Upcoming(60, 5, 20), Upcoming(30, 1, 10)]


def test_what_follows_a_task_of_unknown_duration_is_left_out() -> None:
    assert expected_tasks([Outstanding((), -5.0, None), Outstanding((0,), None, 10.0)], 300) == []


def test_an_overdue_task_ends_any_moment() -> None:
    assert expected_tasks([Outstanding((), -50.0, 20.0), Outstanding((0,), None, 10.0)], 300) == [Upcoming(0, 1, 10)]


def test_a_run_that_is_due_begins_with_its_root_tasks() -> None:
    run = [Outstanding((), 45.0, 15.0, tasks=2), Outstanding((0,), None, 5.0)]
    assert expected_tasks(run, 300) == [Upcoming(45, 2, 15), Upcoming(60, 1, 5)]


def test_tasks_of_another_queue_only_delay_what_follows_them() -> None:
    run = [Outstanding((), -10.0, 30.0), Outstanding((0,), None, 50.0, tasks=0), Outstanding((1,), None, 5.0)]
    assert expected_tasks(run, 300) == [Upcoming(70, 1, 5)]
