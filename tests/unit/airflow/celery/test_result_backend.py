# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Celery's results as JSON: attacks by rows that a worker writes, on a real PostgreSQL and on SQLite."""

import json
import logging
import pickle
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import celery
import pytest
from ansible_collections.sm2a.airflow.tests.support.postgres import Postgres, postgres_server
from celery import states
from celery.backends.database import DatabaseBackend, session_cleanup
from celery.backends.database.models import ResultModelBase
from celery.result import AsyncResult, GroupResult
from sm2a_runtime.celery import result_backend, result_tables
from sm2a_runtime.celery.result_backend import ResultBackend, TaskError
from sqlalchemy import create_engine, select, text

__all__ = ["postgres_server"]

DEEP = b"[" * 30_000
OUTSIDE = [DEEP, DEEP + b"]" * 30_000, b"[" * 60 + b"]" * 60, b"NaN", b"9" * 5000, b"\xff", b" ", b"not JSON", b"{"]
LARGE = json.dumps("x" * result_tables.MOST_BYTES).encode()
JSON_OF_OTHER_TYPES = b'{"__type__": "uuid", "__value__": {"hex": "0"}}'


class Attack:
    """What its pickle does when it is loaded: it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


@pytest.fixture(params=["sqlite", "postgres"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the tables as Celery itself makes them."""
    uri = f"sqlite:///{tmp_path}/results.db"
    server: Postgres | None = None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        server.execute("CREATE SCHEMA AUTHORIZATION airflow")
        uri = server.uri()
    engine = create_engine(uri)
    ResultModelBase.metadata.create_all(engine)
    yield uri
    engine.dispose()
    if server:
        server.execute("DROP SCHEMA airflow CASCADE")


@pytest.fixture
def backend(uri: str) -> ResultBackend:
    """As scheduler and workers have it."""
    return ResultBackend(app=celery.Celery("results", set_as_current=False), url=uri)


@pytest.fixture
def write(uri: str) -> Callable[..., str]:
    """Writes a row as anybody can who knows the workers' login, and returns the task's id."""

    def write(result: bytes | None, status: str = states.STARTED, task_id: str | None = None) -> str:
        engine = create_engine(uri)
        task_id = task_id or str(uuid.uuid4())
        statement = text(
            "INSERT INTO celery_taskmeta (id, task_id, status, result) VALUES (:id, :task, :status, :result)"
        )
        values = {"id": uuid.uuid4().int % 2**31, "task": task_id, "status": status, "result": result}
        with engine.begin() as connection:
            connection.execute(statement, values)
        engine.dispose()
        return task_id

    result_backend.warn_once.cache_clear()
    return write


def states_of(backend: DatabaseBackend, *task_ids: str) -> dict[str, str]:
    """As Airflow's executor asks (BulkStateFetcher._get_many_from_db_backend)."""
    session = backend.ResultSession()
    with session_cleanup(session):
        tasks = session.scalars(select(backend.task_cls).where(backend.task_cls.task_id.in_(task_ids))).all()
    metas = [backend.meta_from_decoded(task.to_dict()) for task in tasks]
    return {meta["task_id"]: meta["status"] for meta in metas}


def test_a_crafted_pickle_is_code_to_celerys_own_backend(uri: str, write: Any, tmp_path: Path) -> None:
    """Should Celery mend that, this backend may go."""
    file = tmp_path / "ran"
    task_id = write(pickle.dumps(Attack(file)))
    states_of(DatabaseBackend(app=celery.Celery("results", set_as_current=False), url=uri), task_id)
    assert file.exists()


def test_a_crafted_pickle_runs_nothing_and_disturbs_no_other_task(
    backend: ResultBackend, write: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, well = tmp_path / "ran", str(uuid.uuid4())
    backend.mark_as_started(well, pid=1)
    bad = write(pickle.dumps(Attack(file)))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert states_of(backend, bad, well) == {bad: states.STARTED, well: states.STARTED}
    assert backend.get_task_meta(bad)["result"] is None
    assert not file.exists()
    (message,) = caplog.messages
    assert message == f"Stored result of task {bad!r} ('STARTED') is ignored: it is no JSON"


@pytest.mark.parametrize("status", [states.STARTED, states.SUCCESS])
def test_what_workers_of_an_earlier_release_wrote_fails_no_task(
    backend: ResultBackend, write: Any, status: str
) -> None:
    task_id = write(pickle.dumps({"pid": 17, "hostname": "celery@10.0.0.1"}), status)
    assert states_of(backend, task_id) == {task_id: status}
    # It goes on: the same row, now as JSON.
    backend.mark_as_done(task_id, None)
    assert states_of(backend, task_id) == {task_id: states.SUCCESS}


@pytest.mark.parametrize("data", [*OUTSIDE, LARGE, pickle.dumps(ValueError("x"))], ids=lambda data: repr(data[:12]))
@pytest.mark.parametrize("status", [states.STARTED, states.FAILURE, "NONSENSE"])
def test_whatever_is_no_small_json_concerns_its_task_only(
    backend: ResultBackend, write: Any, data: bytes, status: str
) -> None:
    bad, well = write(data, status), write(b"null", states.SUCCESS)
    assert states_of(backend, bad, well) == {bad: status, well: states.SUCCESS}
    result = backend.get_task_meta(bad)["result"]
    if status == states.FAILURE:
        assert type(result) is TaskError
        assert str(result).startswith("the task failed (the stored result is ignored: it ")
    else:
        assert result is None


def test_a_failure_names_no_class_that_is_then_made(
    backend: ResultBackend, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Celery would make the exception, with arguments that the row chooses."""
    made: list[Any] = []

    class VictimError(Exception):
        def __init__(self, *arguments: Any) -> None:
            made.append(arguments)

    victims = ModuleType("victims")
    vars(victims)["VictimError"] = VictimError
    monkeypatch.setitem(sys.modules, "victims", victims)
    stored = {"exc_type": "VictimError", "exc_module": "victims", "exc_message": ["rm -rf /", 7]}
    task_id = write(json.dumps(stored).encode(), states.FAILURE)
    error = backend.get_task_meta(task_id)["result"]
    assert type(error) is type(backend.exception_to_python(stored)) is TaskError
    assert str(error) == "the task failed"
    assert made == []


@pytest.mark.parametrize("stored", [{}, [], None, 7, {"exc_type": {"a": 1}}, {"exc_message": "\ud800"}])
def test_any_shape_of_a_failure_is_read(backend: ResultBackend, write: Any, stored: Any) -> None:
    error = backend.get_task_meta(write(json.dumps(stored).encode(), states.FAILURE))["result"]
    assert type(error) is TaskError


def test_a_scheduler_of_an_earlier_release_reads_what_workers_write(backend: ResultBackend, uri: str) -> None:
    """An environment may go back; that scheduler loads pickles, and would end at anything else."""
    started, done, failed = (str(uuid.uuid4()) for _ in range(3))
    backend.mark_as_started(started, pid=1, hostname="celery@host")
    backend.mark_as_done(done, None)
    backend.mark_as_failure(failed, ValueError("why"))
    earlier = DatabaseBackend(app=celery.Celery("results", set_as_current=False), url=uri)
    expected = {started: states.STARTED, done: states.SUCCESS, failed: states.FAILURE}
    assert states_of(earlier, started, done, failed) == states_of(backend, started, done, failed) == expected


def test_json_means_only_what_json_has(backend: ResultBackend, write: Any) -> None:
    """Kombu's decoder makes objects of some types; an invalid one is an error to it."""
    assert backend.get_task_meta(write(JSON_OF_OTHER_TYPES))["result"] == json.loads(JSON_OF_OTHER_TYPES)


def test_what_a_task_returns_is_json_in_celerys_columns(backend: ResultBackend, uri: str) -> None:
    good, odd = str(uuid.uuid4()), str(uuid.uuid4())
    backend.mark_as_done(good, {"at": datetime(2030, 1, 2, tzinfo=UTC)})
    backend.mark_as_done(odd, {"number": float("nan")})
    engine = create_engine(uri)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT task_id, result FROM celery_taskmeta")).all()
    engine.dispose()
    stored = {task_id: json.loads(bytes(result)) for task_id, result in rows}
    assert stored[good] == {"at": repr(datetime(2030, 1, 2, tzinfo=UTC))}
    assert stored[odd] == "<dict that is too large, too deep or no JSON>"
    assert backend.get_task_meta(good)["result"] == stored[good]


def test_a_failure_keeps_its_words(backend: ResultBackend) -> None:
    traced, bare = str(uuid.uuid4()), str(uuid.uuid4())
    backend.mark_as_failure(traced, ValueError("why"), traceback="Traceback \0" + "x" * 100_000 + "\nValueError: why\n")
    backend.mark_as_revoked(bare, "expired")
    assert len(backend.get_task_meta(traced)["traceback"]) == result_tables.MOST_CHARACTERS
    assert str(backend.get_task_meta(traced)["result"]) == "ValueError: why"
    assert str(backend.get_task_meta(bare)["result"]) == "TaskRevokedError: expired"


def test_a_giant_is_not_read_into_memory(backend: ResultBackend, uri: str, write: Any) -> None:
    task_id = write(b'"' + b"x" * 30_000_000 + b'"')
    session = backend.ResultSession()
    with session_cleanup(session):
        compiled = str(select(backend.task_cls).compile(session.get_bind()))
    assert compiled.count("substr(") == 2
    assert states_of(backend, task_id) == {task_id: states.STARTED}


def test_a_task_that_is_not_there_waits(backend: ResultBackend) -> None:
    assert backend.get_task_meta("unknown")["status"] == states.PENDING


def test_further_columns_bring_no_model_of_celerys_back(uri: str) -> None:
    app = celery.Celery("results", set_as_current=False)
    app.conf.result_extended = True
    assert ResultBackend(app=app, url=uri).task_cls is result_tables.Task


def test_groups_are_kept_as_json_too(backend: ResultBackend, uri: str, tmp_path: Path) -> None:
    group = GroupResult("group", [AsyncResult("a", backend=backend)], app=backend.app)
    backend.save_group("group", group)
    backend._cache.clear()
    assert backend.restore_group("group").as_tuple() == group.as_tuple()
    file = tmp_path / "ran"
    engine = create_engine(uri)
    for crafted in (pickle.dumps(Attack(file)), b"[1, 2, 3]", b"7"):
        with engine.begin() as connection:
            connection.execute(text("UPDATE celery_tasksetmeta SET result = :result"), {"result": crafted})
        backend._cache.clear()
        assert backend.restore_group("group") is None
    engine.dispose()
    assert not file.exists()
