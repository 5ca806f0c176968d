# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Queues and pools that tasks name."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sm2a_runtime.dag_check.placement import pools, queue_problems


def dag(tmp_path: Path, *tasks: tuple[str, str, str]) -> Any:
    """A DAG whose tasks have an id, a queue and a pool."""
    file = tmp_path / "dag.py"
    file.write_text('DAG("one")\nOperator("a", queue="large", pool="scarce")\n', encoding="utf-8")
    made = [SimpleNamespace(task_id=name, queue=queue, pool=pool) for name, queue, pool in tasks]
    return SimpleNamespace(dag_id="one", fileloc=str(file), tasks=made)


def test_a_task_for_a_queue_that_nobody_reads_is_found(tmp_path: Path) -> None:
    tasks = ("a", "large", "default_pool"), ("group.b", "default", "default_pool")
    [found] = queue_problems(dag(tmp_path, *tasks), ["default", "small"])
    assert found.line == 2
    assert found.text == (
        "the task a of the DAG one never runs: no group of workers has the queue large, only default, small"
    )
    assert list(queue_problems(dag(tmp_path, *tasks), ["default", "large"])) == []


def test_each_pool_is_told_once(tmp_path: Path) -> None:
    tasks = ("a", "x", "scarce"), ("b", "x", "scarce"), ("c", "x", "default_pool")
    [found] = pools(dag(tmp_path, *tasks))
    assert (found.line, found.text) == (2, "the DAG one needs the pool scarce, which must exist in Airflow")
