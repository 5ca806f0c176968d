# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The look-ahead on a real PostgreSQL with Airflow's tables, and each way in which it may fail without harm."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.postgres import Postgres
from sm2a_autoscaler.decision.model import Upcoming
from sm2a_autoscaler.look_ahead import progress, structure_cache
from sm2a_autoscaler.look_ahead import reader as forecast_reader
from sm2a_autoscaler.look_ahead.model import Forecast
from sm2a_autoscaler.look_ahead.reader import BACKOFF_SECONDS, ForecastReader
from sm2a_autoscaler.look_ahead.structures import DagStructure, parse
from sm2a_autoscaler.metadata.credentials import DatabaseSecret
from sm2a_autoscaler.metadata.database import DatabaseError, MetadataDatabase

SERIALIZED = json.loads((Path(__file__).parent / "serialized_dag.json").read_text())
NOW = datetime.now(UTC)


class Environment:
    """One DAG of the serialized form in the server, and a reader with a clock of its own."""

    def __init__(self, postgres: Postgres, secrets_manager: Any) -> None:
        self.postgres = postgres
        self.now = 0.0
        self.version = str(uuid.uuid4())
        name = f"test/{uuid.uuid4()}"
        secrets_manager.create_secret(Name=name, SecretString=postgres.uri())
        self.database = MetadataDatabase(DatabaseSecret(secrets_manager, name), name)
        self.reader = ForecastReader(self.database, "default", lambda: self.now)

    def add_dag(self, due: datetime | None = None, **columns: Any) -> None:
        """The DAG with one version."""
        values = {
            "dag_id": "shapes",
            "is_paused": False,
            "is_stale": False,
            "bundle_name": "dags",
            "timetable_type": "cron",
            "partition_mapper_info": "[]",
            "max_active_tasks": 20,
            "max_active_runs": 3,
            "max_consecutive_failed_dag_runs": 0,
            "has_task_concurrency_limits": False,
            "next_dagrun_create_after": due,
        } | columns
        self.postgres.insert("dag", **values)
        times = {"created_at": NOW, "last_updated": NOW}
        self.postgres.insert("dag_version", id=self.version, version_number=1, dag_id="shapes", **times)
        self.serialize(json.dumps(SERIALIZED), "hash")

    def serialize(self, data: str | None, dag_hash: str, compressed: bytes | None = None) -> None:
        """Its serialized form, anew."""
        self.postgres.execute("DELETE FROM serialized_dag")
        self.postgres.insert(
            "serialized_dag",
            id=str(uuid.uuid4()),
            dag_id="shapes",
            data=data,
            data_compressed=compressed,
            created_at=NOW,
            last_updated=NOW,
            dag_hash=dag_hash,
            dag_version_id=self.version,
        )

    def add_run(self, run_id: str, state: str, age: float = 0, run_type: str = "scheduled", **columns: Any) -> None:
        """A run that was due so many seconds ago."""
        self.postgres.insert(
            "dag_run",
            dag_id="shapes",
            run_id=run_id,
            state=state,
            run_type=run_type,
            run_after=datetime.now(UTC) - timedelta(seconds=age),
            clear_number=0,
            span_status="ended",
            created_dag_version_id=self.version,
            **columns,
        )

    def add_task(self, run_id: str, task_id: str, state: str | None, count: int = 1, **columns: Any) -> None:
        """Instances of a task of a run."""
        self.postgres.add_tasks("shapes", run_id, task_id, count, state=state, dag_version_id=self.version, **columns)

    def add_past(self) -> None:
        """Ended runs, in which `pull` and `load` took 100 s, the others 10 s, and `mapped_xcom` had five instances."""
        for number in range(3):
            run_id = f"scheduled__2026-01-0{number + 1}"
            for task_id in ("pull", "load", "listing", "mapped_literal"):
                self.add_task(run_id, task_id, "success", duration=100 if task_id in ("pull", "load") else 10)
            self.add_task(run_id, "mapped_xcom", "success", 5, duration=10, queue="large")


@pytest.fixture
def world(postgres: Postgres, secrets_manager: Any) -> Iterator[Environment]:
    subject = Environment(postgres, secrets_manager)
    yield subject
    subject.database.close()


def add_run_in_progress(world: Environment) -> None:
    """`pull` is done, `load` runs since a minute, the rest is to come."""
    world.add_run("scheduled__2026-02-01", "running")
    world.add_task("scheduled__2026-02-01", "pull", "success", queue="large")
    started = datetime.now(UTC) - timedelta(seconds=60)
    world.add_task("scheduled__2026-02-01", "load", "running", start_date=started)
    for task_id in ("listing", "mapped_literal", "branch", "start", "gate"):
        world.add_task("scheduled__2026-02-01", task_id, None)
    world.add_task("scheduled__2026-02-01", "mapped_xcom", None, queue="large")


def test_a_run_in_progress_is_foreseen_from_history_and_structure(world: Environment) -> None:
    world.add_dag()
    world.add_past()
    add_run_in_progress(world)
    forecast = world.reader.read()
    assert (forecast.problem, forecast.remarks) == (None, ())
    assert forecast.queues is not None
    default, large = forecast.queues["default"], forecast.queues["large"]
    assert list(default.remaining_seconds) == pytest.approx([40], abs=3)
    # The listing and four literally mapped ones after the load; then five mapped ones, as many as last time, and the
    # branch after them, which has no history.
    soon = default.upcoming[0].in_seconds
    assert soon == pytest.approx(40, abs=3)
    assert default.upcoming == (Upcoming(soon, 5, 10), Upcoming(soon + 20, 1))
    assert large.upcoming == (Upcoming(soon + 10, 5, 10),)
    assert default.mean_task_seconds == 100


def test_runs_that_are_due_or_queued_are_foreseen_within_their_limits(world: Environment) -> None:
    world.add_dag(due=datetime.now(UTC) + timedelta(seconds=90))
    world.add_past()
    world.add_run("scheduled__2026-02-01", "running")
    for number in range(4):
        world.add_run(f"manual__{number}", "queued", age=10, run_type="manual")
    forecast = world.reader.read()
    assert forecast.queues is not None
    # Two of the queued runs may start beside the one that runs, and one is due in 90 s.
    pulls = [item for item in forecast.queues["large"].upcoming if item.seconds == 100]
    assert [item.tasks for item in pulls] == [2, 1]
    assert [item.in_seconds for item in pulls] == pytest.approx([0, 90], abs=3)
    # Four runs within five minutes that nobody announced, one large root task each.
    assert forecast.queues["large"].unscheduled_rate == pytest.approx(4 / 300)


@pytest.mark.parametrize("limit", [None, 0])
def test_without_a_number_of_runs_airflow_starts_none(world: Environment, limit: int | None) -> None:
    world.add_dag(max_active_runs=limit)
    world.add_run("manual__1", "queued", age=400, run_type="manual")
    assert world.reader.read() == Forecast({})


@pytest.mark.parametrize(
    "columns",
    [{"is_paused": True}, {"is_stale": True}, {"has_import_errors": True}, {"exceeds_max_non_backfill": True}],
)
def test_runs_that_airflow_would_not_make_are_not_foreseen(world: Environment, columns: dict[str, bool]) -> None:
    world.add_dag(due=datetime.now(UTC), **columns)
    assert world.reader.read() == Forecast({})


@pytest.mark.parametrize(("overdue", "foreseen"), [(60, True), (progress.OVERDUE_SECONDS + 5, False)])
def test_a_run_that_the_scheduler_does_not_make_is_given_up(world: Environment, overdue: int, foreseen: bool) -> None:
    world.add_dag(due=datetime.now(UTC) - timedelta(seconds=overdue))
    assert bool(world.reader.read().queues) is foreseen


@pytest.mark.parametrize("columns", [{"is_paused": True}, {"is_stale": True}])
def test_runs_of_a_dag_that_rests_and_of_backfills_start_nothing(world: Environment, columns: dict[str, Any]) -> None:
    world.add_dag(**columns)
    add_run_in_progress(world)
    world.add_run("backfill__1", "queued", run_type="backfill", backfill_id=1)
    forecast = world.reader.read()
    assert forecast.queues is not None
    assert not any(outlook.upcoming for outlook in forecast.queues.values())


def test_a_structure_is_read_once_for_each_hash(world: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Mapping[str, Any]] = []

    def counted(data: Mapping[str, Any]) -> DagStructure:
        parsed.append(data)
        return parse(data)

    monkeypatch.setattr(structure_cache, "parse", counted)
    world.add_dag(due=datetime.now(UTC))
    for _ in range(3):
        assert world.reader.read().queues
    assert len(parsed) == 1
    world.serialize(None, "other hash", zlib.compress(json.dumps(SERIALIZED).encode()))
    assert world.reader.read().queues
    assert len(parsed) == 2


@pytest.mark.parametrize("data", ['{"dag": {}}', "[]", '"text"'])
def test_a_malformed_dag_is_named_and_the_others_are_foreseen(world: Environment, data: str) -> None:
    world.add_dag(due=datetime.now(UTC))
    world.serialize(data, "broken")
    for _ in range(2):
        forecast = world.reader.read()
        assert forecast.queues == {}
        (remark,) = forecast.remarks
        assert remark.startswith("the serialized DAG shapes ")
    world.serialize(json.dumps(SERIALIZED), "mended")
    assert world.reader.read().remarks == ()


def test_a_queue_without_tasks_keeps_its_mean(world: Environment) -> None:
    world.add_dag()
    world.add_past()
    add_run_in_progress(world)
    world.reader.read()
    world.postgres.execute("DELETE FROM task_instance WHERE state IS DISTINCT FROM 'success'")
    forecast = world.reader.read()
    assert forecast.queues is not None
    assert forecast.queues["default"].mean_task_seconds == 100


def test_a_slow_query_is_given_up_keeps_the_lock_and_is_not_sent_again_for_a_while(
    world: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast_reader, "STATEMENT_SECONDS", 0.2)
    assert world.database.acquire_lock()
    blocker = world.postgres.superuser()
    blocker.autocommit = False
    with blocker.cursor() as cursor:
        cursor.execute("LOCK TABLE dag_run IN ACCESS EXCLUSIVE MODE")
    forecast = world.reader.read()
    blocker.close()
    assert forecast.queues is None
    assert forecast.problem is not None
    assert "statement timeout" in forecast.problem
    # The exact counts go on in the same session, with its own timeout again.
    assert world.database.counts() == {}
    assert world.database._rows("SHOW statement_timeout") == [("5s",)]
    assert world.database._holds_lock
    world.now = BACKOFF_SECONDS - 1
    assert "no look-ahead for another 1 s, after: " in str(world.reader.read().problem)
    world.now = BACKOFF_SECONDS
    assert world.reader.read() == Forecast({})


@pytest.mark.parametrize("refused", ["LIMIT %s)", "data_compressed"])
def test_after_a_failed_look_up_the_outlook_lacks_only_its_result(
    world: Environment, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    world.add_dag()
    world.add_past()
    add_run_in_progress(world)
    query_database, sent = world.database.query, []

    def refuse(query: str, arguments: Any = ()) -> list[Any]:
        sent.append(query)
        if refused in query:
            raise DatabaseError("too slow")
        return query_database(query, arguments)

    monkeypatch.setattr(world.database, "query", refuse)
    for _ in range(2):
        forecast = world.reader.read()
        assert forecast.problem is None
        assert forecast.queues is not None
        assert forecast.remarks[0].startswith(
            ("new DAGs and durations could not be read: ", "new DAGs and durations are not read for another ")
        )
    # The database is left alone with it for a while, and asked for the rest.
    assert len([query for query in sent if refused in query]) == 1
    monkeypatch.undo()
    world.now = BACKOFF_SECONDS
    # The DAG was refused on its own, which is not tried again soon; durations are.
    forecast = world.reader.read()
    assert forecast.queues is not None
    assert list(forecast.queues["default"].remaining_seconds) == pytest.approx([40], abs=3)
    assert bool(forecast.queues["default"].upcoming) is (refused != "data_compressed")


def test_a_session_that_is_lost_on_the_way_is_a_problem_and_no_more(world: Environment) -> None:
    world.database.counts()
    world.postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sm2a_autoscaler'"
    )
    forecast = world.reader.read()
    assert forecast.queues is None
    assert "no look-ahead: " in str(forecast.problem)
    assert world.database.counts() == {}


def test_a_defect_is_a_problem_and_is_logged_once_with_its_traceback(
    world: Environment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TypeError(defect)

    monkeypatch.setattr(forecast_reader, "look_ahead", fail)
    assert world.database.acquire_lock()
    for defect in ("one", "one", "other"):
        assert world.reader.read().problem == f"no look-ahead: TypeError: {defect}"
        assert f"after: TypeError: {defect}" in str(world.reader.read().problem)
        world.now += BACKOFF_SECONDS
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["one", "other"]
    assert world.database._holds_lock
    monkeypatch.undo()
    assert world.reader.read() == Forecast({})


def test_a_missing_table_is_a_problem_and_no_more(world: Environment) -> None:
    world.postgres.execute("ALTER TABLE dag RENAME TO away")
    try:
        assert 'relation "dag" does not exist' in str(world.reader.read().problem)
        assert world.database.counts() == {}
    finally:
        world.postgres.execute("ALTER TABLE away RENAME TO dag")


def test_no_query_is_sent_once_the_time_is_up(world: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def query(query: str, arguments: Any = ()) -> list[Any]:
        sent.append(query)
        world.now += 3
        return []

    monkeypatch.setattr(world.database, "query", query)
    assert "took longer than 4 s" in str(world.reader.read().problem)
    assert len(sent) == 2


def test_too_much_at_once_is_not_looked_at_in_part(world: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "TASK_STATES_LIMIT", 3)
    world.add_dag()
    add_run_in_progress(world)
    assert "there are 3 or more tasks in running DAG runs, too many for the look-ahead" in str(
        world.reader.read().problem
    )


def test_a_refused_statement_does_not_end_the_session(world: Environment) -> None:
    assert world.database.acquire_lock()
    with pytest.raises(DatabaseError, match="division by zero"):
        world.database.query("SELECT 1 / 0")
    assert world.database._holds_lock
    assert world.database.query("SELECT %s", (1,)) == [(1,)]
