# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What Airflow is in the middle of, and what it is about to start: four indexed queries on the metadata database.

Every answer is bounded. One that reaches its bound is refused: half of the picture would be a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sm2a_autoscaler.look_ahead.history import Reader, TaskKey
from sm2a_autoscaler.metadata.database import DatabaseError
from sm2a_autoscaler.metadata.dialect import Dialect

RUNNING_LIMIT = 10_000
STANDINGS_LIMIT = 50_000
RUNS_LIMIT = 2_000
# A run that is overdue for longer is not made at all: the scheduler is down, or refuses to.
OVERDUE_SECONDS = 120
# Arrivals that no schedule announced are counted over this time.
ARRIVALS_SECONDS = 300

# Found through `ti_state`.
RUNNING_QUERY = """
SELECT dag_id, run_id, task_id, queue, {elapsed}
FROM task_instance
WHERE state IN ('running', 'restarting') AND start_date IS NOT NULL
LIMIT %s
"""
# The running runs come from `idx_dag_run_running_dags`, their tasks from `ti_dag_run`. Runs of a paused DAG go on no
# further than the tasks that run already.
STANDINGS_QUERY = """
SELECT ti.dag_id, ti.run_id, ti.task_id, ti.state, ti.queue, ti.dag_version_id, count(*)
FROM dag_run dr
JOIN dag d ON d.dag_id = dr.dag_id AND d.is_paused = false
JOIN task_instance ti ON ti.dag_id = dr.dag_id AND ti.run_id = dr.run_id
WHERE dr.state = 'running'
GROUP BY ti.dag_id, ti.run_id, ti.task_id, ti.state, ti.queue, ti.dag_version_id
LIMIT %s
"""
# Through `idx_next_dagrun_create_after` and through `idx_dag_run_queued_dags`. The scheduler makes no run where
# `exceeds_max_non_backfill` is set, and starts none beyond `max_active_runs`, at 0 or NULL none at all. Runs of a
# backfill take turns: one starts when another ends, which the forecast of that one's tasks does not know, so they are
# left out.
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
# Through `idx_dag_run_run_after`.
ARRIVALS_QUERY = """
SELECT dag_id, created_dag_version_id, count(*)
FROM dag_run
WHERE run_after > now() - INTERVAL %s SECOND AND run_after <= now() AND run_type NOT IN ('scheduled', 'backfill')
GROUP BY dag_id, created_dag_version_id
LIMIT %s
"""


@dataclass(frozen=True)
class RunningTask:
    """A task instance that runs since ``elapsed`` seconds."""

    dag_id: str
    run_id: str
    task_id: str
    queue: str
    elapsed: float

    @property
    def key(self) -> TaskKey:
        """By which its history is kept."""
        return self.dag_id, self.task_id


@dataclass(frozen=True)
class Standing:
    """``count`` instances of one task of one running DAG run are in this state; None is that of tasks yet to come."""

    dag_id: str
    run_id: str
    task_id: str
    state: str | None
    queue: str
    version: str | None
    count: int

    @property
    def key(self) -> TaskKey:
        """By which its history is kept."""
        return self.dag_id, self.task_id


@dataclass(frozen=True)
class Starting:
    """``runs`` runs of a DAG that start in so many seconds, or as soon as the scheduler gets to them (0)."""

    dag_id: str
    version: str | None
    in_seconds: float
    runs: int


@dataclass(frozen=True)
class Arrivals:
    """Runs of a DAG that came unannounced (by hand, through the API, from assets) within ARRIVALS_SECONDS."""

    dag_id: str
    version: str | None
    runs: int


@dataclass(frozen=True)
class Progress:
    """Everything that was read."""

    running: tuple[RunningTask, ...] = ()
    standings: tuple[Standing, ...] = ()
    starting: tuple[Starting, ...] = ()
    arrivals: tuple[Arrivals, ...] = ()

    def versions(self) -> frozenset[str]:
        """Ids of the DAG versions whose structure is needed to look ahead."""
        pending = {item.version for item in self.standings if item.state is None}
        starting = {item.version for item in self.starting} | {item.version for item in self.arrivals}
        return frozenset(version for version in pending | starting if version)


def read_progress(reader: Reader, dialect: Dialect, horizon_seconds: int) -> Progress:
    """The progress now, with DAG runs that are due within the horizon. Raises DatabaseError."""
    elapsed, until = dialect.seconds_since("start_date"), f"-({dialect.seconds_since('d.next_dagrun_create_after')})"
    running = reader.look(RUNNING_QUERY.format(elapsed=elapsed), (RUNNING_LIMIT,))
    standings = reader.look(STANDINGS_QUERY, (STANDINGS_LIMIT,))
    starting = reader.look(STARTING_QUERY.format(until=until), (str(horizon_seconds), str(OVERDUE_SECONDS), RUNS_LIMIT))
    arrivals = reader.look(ARRIVALS_QUERY, (str(ARRIVALS_SECONDS), RUNS_LIMIT))
    for rows, limit, what in (
        (running, RUNNING_LIMIT, "running tasks"),
        (standings, STANDINGS_LIMIT, "tasks in running DAG runs"),
        (starting, RUNS_LIMIT, "DAGs with runs that are about to start"),
        (arrivals, RUNS_LIMIT, "DAGs that were started by hand"),
    ):
        if len(rows) >= limit:
            raise DatabaseError(f"there are {limit} {what} or more, too many to look ahead")
    return Progress(
        running=tuple(
            RunningTask(dag, run, task, str(queue), max(0.0, float(age))) for dag, run, task, queue, age in running
        ),
        standings=tuple(
            Standing(dag, run, task, state, str(queue), _id(version), int(count))
            for dag, run, task, state, queue, version, count in standings
        ),
        starting=tuple(
            Starting(dag, _id(version), max(0.0, float(seconds)), max(0, min(int(runs), int(room))))
            for dag, version, seconds, runs, room in starting
        ),
        arrivals=tuple(Arrivals(dag, _id(version), int(runs)) for dag, version, runs in arrivals),
    )


def _id(version: object) -> str | None:
    return None if version is None else str(version)
