# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The database session against a real PostgreSQL: the counts, the lock, the bounds and a rotated password."""

from __future__ import annotations

import shutil
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.postgres import PASSWORD, Postgres
from sm2a_autoscaler.metadata.credentials import DatabaseSecret
from sm2a_autoscaler.metadata.database import (
    ANSWER_TIMEOUT_SECONDS,
    STATEMENT_TIMEOUT_SECONDS,
    DatabaseError,
    MetadataDatabase,
    TaskCounts,
)

Open = Callable[[], MetadataDatabase]


@pytest.fixture
def secret_name(postgres: Postgres, secrets_manager: Any) -> str:
    """A secret with the server's URI."""
    name = f"test/{uuid.uuid4()}"
    secrets_manager.create_secret(Name=name, SecretString=postgres.uri())
    return name


@pytest.fixture
def open_database(secret_name: str, secrets_manager: Any) -> Iterator[Open]:
    """Makes instances of one environment and closes them after the test."""
    opened: list[MetadataDatabase] = []

    def make() -> MetadataDatabase:
        opened.append(MetadataDatabase(DatabaseSecret(secrets_manager, secret_name), secret_name))
        return opened[-1]

    yield make
    for item in opened:
        item.close()


def assert_acquires(database: MetadataDatabase) -> None:
    """The lock comes free as soon as the server has cleared the session that ended."""
    deadline = time.monotonic() + 5
    while not database.acquire_lock():
        assert time.monotonic() < deadline, "the lock did not come free"
        time.sleep(0.02)


def test_tasks_are_counted_by_queue_and_state(postgres: Postgres, open_database: Open) -> None:
    postgres.set_tasks(
        ("default", "scheduled", "", 7),
        ("default", "queued", "", 5),
        ("default", "running", "10.0.0.1", 3),
        ("default", "running", "10.0.0.2", 1),
        ("default", "restarting", "10.0.0.3", 1),
        ("default", "running", "", 1),
        ("default", "success", "10.0.0.9", 50),
        ("default", "deferred", "10.0.0.8", 2),
        ("large", "queued", "", 2),
    )
    assert open_database().counts() == {
        "default": TaskCounts(scheduled=7, queued=5, running=6, busy_workers=3),
        "large": TaskCounts(queued=2),
    }


def test_busy_workers_are_reported_by_address_with_their_tasks(postgres: Postgres, open_database: Open) -> None:
    postgres.set_tasks(
        ("default", "running", "10.0.0.1", 3),
        ("large", "restarting", "10.0.0.2", 1),
        ("default", "queued", "10.0.0.3", 1),
        ("default", "running", "", 1),
    )
    assert open_database().busy_addresses() == {"10.0.0.1": 3, "10.0.0.2": 1}


def test_the_youngest_heartbeat_of_each_component_counts(postgres: Postgres, open_database: Open) -> None:
    postgres.execute("TRUNCATE job")
    assert open_database().heartbeat_ages() == {}
    for state, job_type, seconds in (
        ("running", "SchedulerJob", 7),
        ("running", "SchedulerJob", 300),
        ("failed", "SchedulerJob", 1),
        ("running", "TriggererJob", 90),
        ("running", "DagProcessorJob", 200_000),
        ("running", "Future", -5),
    ):
        postgres.execute(
            "INSERT INTO job (state, job_type, latest_heartbeat) VALUES (%s, %s, now() - %s * INTERVAL '1 second')",
            state,
            job_type,
            seconds,
        )
    ages = open_database().heartbeat_ages()
    assert ages == {
        "SchedulerJob": pytest.approx(7, abs=3),
        "TriggererJob": pytest.approx(90, abs=3),
        "Future": 0.0,
    }


def test_a_new_read_sees_new_tasks(postgres: Postgres, open_database: Open) -> None:
    database = open_database()
    assert database.counts() == {}
    postgres.set_tasks(("default", "queued", "", 1))
    assert database.counts() == {"default": TaskCounts(queued=1)}


def test_one_instance_holds_the_lock_until_its_session_ends(open_database: Open) -> None:
    first, second = open_database(), open_database()
    assert first.acquire_lock()
    assert not second.acquire_lock()
    assert first.acquire_lock()
    first.close()
    assert_acquires(second)


def test_a_killed_session_loses_the_lock_and_recovers(postgres: Postgres, open_database: Open) -> None:
    first, second = open_database(), open_database()
    assert first.acquire_lock()
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sm2a_autoscaler'"
    )
    with pytest.raises(DatabaseError):
        first.counts()
    assert_acquires(second)
    assert not first.acquire_lock()
    assert first.counts() == {}


def test_a_blocked_query_ends_at_the_statement_timeout(postgres: Postgres, open_database: Open) -> None:
    database = open_database()
    database.counts()
    blocker = postgres.superuser()
    blocker.autocommit = False
    with blocker.cursor() as cursor:
        cursor.execute("LOCK TABLE task_instance IN ACCESS EXCLUSIVE MODE")
    started = time.monotonic()
    with pytest.raises(DatabaseError, match="statement timeout"):
        database.counts()
    assert time.monotonic() - started < STATEMENT_TIMEOUT_SECONDS + 2
    blocker.close()
    assert database.counts() == {}


@pytest.mark.skipif(not shutil.which("ps"), reason="needs ps")
def test_a_server_that_does_not_answer_at_all_is_given_up(postgres: Postgres, open_database: Open) -> None:
    session, newcomer = open_database(), open_database()
    session.counts()
    postgres.signal_all(signal.SIGSTOP)
    try:
        for database in (session, newcomer):
            started = time.monotonic()
            with pytest.raises(DatabaseError, match="no answer from the server within 8 s"):
                database.counts()
            assert time.monotonic() - started < ANSWER_TIMEOUT_SECONDS + 2
    finally:
        postgres.signal_all(signal.SIGCONT)
    assert session.counts() == {}


def test_the_session_cannot_write(postgres: Postgres, open_database: Open) -> None:
    postgres.execute("GRANT INSERT, DELETE ON task_instance TO airflow")
    database = open_database()
    with pytest.raises(DatabaseError, match="read-only transaction"):
        database._rows("DELETE FROM task_instance RETURNING id")


def test_a_rotated_password_is_picked_up_within_the_same_call(
    postgres: Postgres, open_database: Open, secrets_manager: Any, secret_name: str
) -> None:
    database = open_database()
    assert database.counts() == {}
    postgres.execute("ALTER ROLE airflow PASSWORD 'rotated'")
    assert database.counts() == {}, "an open session outlives the rotation"
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sm2a_autoscaler'"
    )
    with pytest.raises(DatabaseError):
        database.counts()
    with pytest.raises(DatabaseError, match="password authentication failed") as raised:
        database.counts()
    assert PASSWORD not in str(raised.value)
    secrets_manager.put_secret_value(SecretId=secret_name, SecretString=postgres.uri("rotated"))
    assert database.counts() == {}
