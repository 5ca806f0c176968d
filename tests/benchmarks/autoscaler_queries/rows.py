# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Rows of a metadata database with a past: ended runs of many DAGs, and some that run, wait or are due.

Every DAG has the same 21 tasks: one extract, sixteen transforms of it, one task mapped over a result, a branch, a load
and an alert that is always skipped. One run of each DAG is in progress, with as many tasks in each state as a busy
environment has.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DAGS = 100
TRANSFORMS = 16
TASKS = ("extract", *(f"transform_{number:02}" for number in range(TRANSFORMS)), "mapped", "branch", "load", "alert")
MAPPED = 4
INSTANCES = len(TASKS) - 1 + MAPPED  # in an ended run
# Of a run in progress: the extract is done, of the transforms so many are done, run, are queued, and are to come.
DONE, RUNNING, QUEUED = 4, 5, 3
QUEUES = ("default", "large")

Row = tuple[object, ...]


@dataclass(frozen=True)
class Table:
    """Rows of one table; ``columns`` are their names, separated by spaces."""

    name: str
    columns: str
    rows: Iterator[Row]


def tables(instances: int, now: datetime) -> Iterator[Table]:
    """All tables for about so many task instances; the past goes back an hour a run."""
    runs = max(1, round(instances / INSTANCES / DAGS))
    yield Table(
        "dag",
        "dag_id is_paused is_stale bundle_name timetable_type partition_mapper_info max_active_tasks max_active_runs"
        " max_consecutive_failed_dag_runs has_task_concurrency_limits next_dagrun_create_after",
        (
            (_dag(dag), False, False, "dags", "cron", "[]", 16, 16, 0, False, now + timedelta(seconds=30 * dag))
            for dag in range(DAGS)
        ),
    )
    yield Table(
        "dag_version",
        "id version_number dag_id bundle_name created_at last_updated",
        ((_version(dag), 1, _dag(dag), "dags", now, now) for dag in range(DAGS)),
    )
    yield Table(
        "serialized_dag",
        "id dag_id data created_at last_updated dag_hash dag_version_id",
        (
            (_uuid(now, dag), _dag(dag), _serialized(_dag(dag)), now, now, f"{dag:032}", _version(dag))
            for dag in range(DAGS)
        ),
    )
    yield Table(
        "dag_run",
        "dag_id run_id logical_date run_after start_date state run_type clear_number created_dag_version_id"
        " span_status",
        _runs(runs, now),
    )
    yield Table(
        "task_instance",
        "id task_id dag_id run_id map_index start_date end_date duration state try_number hostname pool pool_slots"
        " queue operator updated_at dag_version_id",
        _instances(runs, now),
    )
    yield Table("job", "state job_type latest_heartbeat", _jobs(now))


def _runs(runs: int, now: datetime) -> Iterator[Row]:
    for age in range(runs):
        for dag in range(DAGS):
            at = now - timedelta(hours=age)
            state = "success" if age else "running"
            yield _dag(dag), _run(at), at, at, at, state, "scheduled", 0, _version(dag), "ended"
    for dag in range(0, DAGS, 2):
        for number in range(3):
            run_id = f"manual__{now.isoformat()}_{number}"
            after = now - timedelta(seconds=60 * number)
            yield _dag(dag), run_id, None, after, None, "queued", "manual", 0, _version(dag), "ended"


def _instances(runs: int, now: datetime) -> Iterator[Row]:
    number = 0
    for age in reversed(range(runs)):
        at = now - timedelta(hours=age)
        for dag in range(DAGS):
            for task in TASKS:
                for index in range(MAPPED) if task == "mapped" and age else (-1,):
                    number += 1
                    state = _past_state(task) if age else _state(task)
                    seconds = 20.0 + (dag * len(task) + age) % 60
                    yield (
                        _uuid(at, number),
                        task,
                        _dag(dag),
                        _run(at),
                        index,
                        at if state in ("success", "running") else None,
                        at + timedelta(seconds=seconds) if state == "success" else None,
                        seconds if state == "success" else None,
                        state,
                        1,
                        f"10.0.{dag % 250}.{number % 20}" if state in ("success", "running") else "",
                        "default_pool",
                        1,
                        QUEUES[dag % len(QUEUES)],
                        "PythonOperator",
                        at,
                        _version(dag),
                    )


def _jobs(now: datetime) -> Iterator[Row]:
    """Two of each component at work, and those that ended before them."""
    for component in ("SchedulerJob", "DagProcessorJob", "TriggererJob"):
        for number in range(200):
            yield "failed" if number >= 2 else "running", component, now - timedelta(hours=number)


def _past_state(task: str) -> str:
    """Of a task of an ended run."""
    return "skipped" if task == "alert" else "success"


def _state(task: str) -> str | None:
    """Of a task of a run in progress."""
    if task == "extract":
        return "success"
    if not task.startswith("transform"):
        return None
    states = ["success"] * DONE + ["running"] * RUNNING + ["queued"] * QUEUED
    number = int(task.rpartition("_")[2])
    return states[number] if number < len(states) else None


def _serialized(dag_id: str) -> str:
    transforms = [task for task in TASKS if task.startswith("transform")]
    children = {
        "extract": transforms,
        **{task: ["mapped"] for task in transforms},
        "mapped": ["branch"],
        "branch": ["load", "alert"],
    }
    tasks = []
    for task in TASKS:
        operator: dict[str, object] = {
            "task_id": task,
            "task_type": "PythonOperator",
            "downstream_task_ids": children.get(task, []),
            "op_kwargs": {f"argument_{number}": "x" * 40 for number in range(10)},
            "template_fields": ["templates_dict", "op_args", "op_kwargs"],
        }
        if task == "mapped":
            operator |= {"_is_mapped": True, "_expand_input_attr": "op_kwargs_expand_input", "partial_kwargs": {}}
        tasks.append({"__type": "operator", "__var": operator | {"_can_skip_downstream": task == "branch"}})
    return json.dumps({"__version": 3, "dag": {"dag_id": dag_id, "max_active_tasks": 16, "tasks": tasks}})


def _dag(number: int) -> str:
    return f"pipeline_{number:03}"


def _run(at: datetime) -> str:
    return f"scheduled__{at.isoformat()}"


def _version(dag: int) -> str:
    return _uuid(datetime(2026, 1, 1, tzinfo=UTC), dag)


def _uuid(at: datetime, number: int) -> str:
    """An id of version 7 as Airflow makes them: in order of time."""
    return uuid.UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | number).hex
