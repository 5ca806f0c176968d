# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The critical path of a first deployment, and what the benchmark makes of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.benchmarks.converge import first_deployment
from ansible_collections.sm2a.airflow.tests.benchmarks.converge.first_deployment import Result, Wait, problems
from ansible_collections.sm2a.airflow.tests.benchmarks.converge.waits import (
    STEPS,
    TIMES,
    Step,
    critical_path,
    earliest_ends,
    seconds,
)


def at_best() -> Result:
    """A run without a second of its own."""
    ends = earliest_ends(STEPS, seconds())
    waits = [Wait(name, ends[name] - TIMES[step.kind].seconds, ends[name]) for name, step in STEPS.items()]
    return Result(1.0, max(ends.values()), 0.0, 0.0, waits)


def test_a_path_goes_by_what_a_step_needs_to_begin_and_to_end() -> None:
    steps = {
        "a": Step("a", "short"),
        "b": Step("b", "long"),
        "c": Step("c", "short", ("a",), ("b",)),
        "d": Step("d", "short", ("c",)),
    }
    times = {"short": 10.0, "long": 50.0}
    assert earliest_ends(steps, times) == {"a": 10, "b": 50, "c": 50, "d": 60}
    assert critical_path(steps, times) == (60, ["b", "c", "d"])


def test_the_database_is_critical() -> None:
    length, path = critical_path(STEPS, seconds())
    assert path == ["database", "migration_start", "migration", "services_start", "services"]
    assert length == sum(TIMES[STEPS[name].kind].seconds for name in path)


def test_every_wait_is_measured_somewhere() -> None:
    assert {step.kind for step in STEPS.values()} == set(TIMES)
    assert all(source.startswith("https://") for time in TIMES.values() for source in time.sources)


@pytest.mark.parametrize(
    ("kind", "identifier", "step"),
    [
        ("db_instance_multi_az", "cp", "database"),
        ("image_push", "registry/cp/airflow:sha-1", "image_push"),
        ("task_start", "cp-migrate", "migration_start"),
        ("one_off_task", "cp-migrate", "migration"),
        ("task_start", "cp-worker-default", "services_start"),
        ("service_healthy", "cp-api-server", "services"),
        ("service_healthy", "cp-autoscaler", "autoscaler"),
    ],
)
def test_a_wait_belongs_to_a_step(kind: str, identifier: str, step: str) -> None:
    assert first_deployment.step_of(kind, identifier) == step


def test_a_run_that_begins_a_step_too_early_is_no_deployment() -> None:
    result = at_best()
    assert problems(result) == []
    assert "met" in first_deployment.report(result)
    early = [Wait("migration_start", 0.0, 60.0) if wait.step == "migration_start" else wait for wait in result.waits]
    told = problems(Result(1.0, result.wall, 0.0, 0.0, early))
    assert "migration: task starts began before this was ready: DB instance, Multi-AZ" in told
    assert problems(Result(1.0, 1.0, 0.0, 0.0, result.waits[1:])) == ["nothing waited for: database"]


def test_the_goal_is_judged_with_waits_of_real_size_only() -> None:
    result = at_best()
    slow = Result(1.0, result.wall * 1.2, 0.0, 0.0, result.waits)
    scaled = Result(0.1, result.wall, 0.0, 0.0, result.waits)
    assert [first_deployment.verdict(each) for each in (result, slow, scaled)] == [
        "met",
        "MISSED",
        "not judged, waits are scaled",
    ]


def test_figures_survive_their_file(tmp_path: Path) -> None:
    result = at_best()
    first_deployment.write(tmp_path / "figures.json", result)
    assert first_deployment.read(tmp_path / "figures.json") == result
