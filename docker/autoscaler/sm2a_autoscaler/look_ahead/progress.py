# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The tasks that Airflow is running and about to start: four indexed queries on the metadata database.

Every query has a row limit. A result that reaches it is rejected, because a partial result would be misleading.
"""

from __future__ import annotations

from sm2a_autoscaler.look_ahead.model import (
    ARRIVALS_SECONDS,
    Arrivals,
    Progress,
    RunningTask,
    StartingRuns,
    TaskStateCount,
)
from sm2a_autoscaler.metadata.database import DatabaseError, Reader
from sm2a_autoscaler.metadata.dialect import Dialect

RUNNING_LIMIT = 10_000
TASK_STATES_LIMIT = 50_000
RUNS_LIMIT = 2_000
# Runs that are overdue for longer are ignored: the scheduler is down or does not create them.
OVERDUE_SECONDS = 120
# Period over which unannounced arrivals are counted.

# Uses the index `ti_state`.
RUNNING_QUERY = """
SELECT dag_id, run_id, task_id, queue, {elapsed}
FROM task_instance
WHERE state IN ('running', 'restarting') AND start_date IS NOT NULL
LIMIT %s
"""
# Uses `idx_dag_run_running_dags` for the runs and `ti_dag_run` for their tasks. Runs of a paused DAG start no further
# tasks.
TASK_STATES_QUERY = """
SELECT ti.dag_id, ti.run_id, ti.task_id, ti.state, ti.queue, ti.dag_version_id, count(*)
FROM dag_run dr
JOIN dag d ON d.dag_id = dr.dag_id AND d.is_paused = false
JOIN task_instance ti ON ti.dag_id = dr.dag_id AND ti.run_id = dr.run_id
WHERE dr.state = 'running'
GROUP BY ti.dag_id, ti.run_id, ti.task_id, ti.state, ti.queue, ti.dag_version_id
LIMIT %s
"""
# Uses `idx_next_dagrun_create_after` and `idx_dag_run_queued_dags`. The scheduler creates no run where
# `exceeds_max_non_backfill` is set, and starts no more than `max_active_runs` (none for 0 or NULL). Queued runs of a
# backfill are left out: each starts when an earlier one ends, and that moment is not forecast.
STARTING_QUERY = """
SELECT d.dag_id, v.id, {until}, 1, 1
FROM dag d
JOIN dag_version v ON v.dag_id = d.dag_id
 AND v.version_number = (SELECT max(w.version_number) FROM dag_version w WHERE w.dag_id = d.dag_id)
WHERE d.next_dagrun_create_after <= now() + INTERVAL %s SECOND
  AND d.next_dagrun_create_after > now() - INTERVAL %s SECOND
  AND d.is_paused = false AND d.is_stale = false AND d.has_import_errors = false AND d.exceeds_max_non_backfill = false
UNION ALL
SELECT dr.dag_id, dr.created_dag_version_id, 0, count(*), coalesce(max(d.max_active_runs), 0) -
       (SELECT count(*) FROM dag_run a WHERE a.dag_id = dr.dag_id AND a.state = 'running' AND a.backfill_id IS NULL)
FROM dag_run dr
JOIN dag d ON d.dag_id = dr.dag_id AND d.is_paused = false AND d.is_stale = false
WHERE dr.state = 'queued' AND dr.backfill_id IS NULL AND dr.run_after <= now()
GROUP BY dr.dag_id, dr.created_dag_version_id
LIMIT %s
"""
# Uses `idx_dag_run_run_after`.
ARRIVALS_QUERY = """
SELECT dag_id, created_dag_version_id, count(*)
FROM dag_run
WHERE run_after > now() - INTERVAL %s SECOND AND run_after <= now() AND run_type NOT IN ('scheduled', 'backfill')
GROUP BY dag_id, created_dag_version_id
LIMIT %s
"""


def read_progress(reader: Reader, dialect: Dialect, horizon_seconds: int) -> Progress:
    """Read the present progress and the DAG runs due within the horizon. Raises DatabaseError."""
    elapsed, until = dialect.seconds_since("start_date"), f"-({dialect.seconds_since('d.next_dagrun_create_after')})"
    running = reader.query(RUNNING_QUERY.format(elapsed=elapsed), (RUNNING_LIMIT,))
    task_states = reader.query(TASK_STATES_QUERY, (TASK_STATES_LIMIT,))
    starting = reader.query(
        STARTING_QUERY.format(until=until), (str(horizon_seconds), str(OVERDUE_SECONDS), RUNS_LIMIT)
    )
    arrivals = reader.query(ARRIVALS_QUERY, (str(ARRIVALS_SECONDS), RUNS_LIMIT))
    for rows, limit, what in (
        (running, RUNNING_LIMIT, "running tasks"),
        (task_states, TASK_STATES_LIMIT, "tasks in running DAG runs"),
        (starting, RUNS_LIMIT, "DAGs with runs about to start"),
        (arrivals, RUNS_LIMIT, "DAGs with unannounced runs"),
    ):
        if len(rows) >= limit:
            raise DatabaseError(f"there are {limit} or more {what}, too many for the look-ahead")
    return Progress(
        running=tuple(
            RunningTask(dag_id=dag, run_id=run, task_id=task, queue=str(queue), elapsed=max(0.0, float(age)))
            for dag, run, task, queue, age in running
        ),
        task_states=tuple(
            TaskStateCount(
                dag_id=dag,
                run_id=run,
                task_id=task,
                state=state,
                queue=str(queue),
                version=_id(version),
                count=int(count),
            )
            for dag, run, task, state, queue, version, count in task_states
        ),
        starting=tuple(
            StartingRuns(
                dag_id=dag,
                version=_id(version),
                in_seconds=max(0.0, float(seconds)),
                runs=max(0, min(int(runs), int(room))),
            )
            for dag, version, seconds, runs, room in starting
        ),
        arrivals=tuple(Arrivals(dag, _id(version), int(runs)) for dag, version, runs in arrivals),
    )


def _id(version: object) -> str | None:
    return None if version is None else str(version)
