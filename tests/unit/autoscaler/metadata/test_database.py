# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The database session against a scripted DB-API driver: bounds, errors and the rotated password."""

from __future__ import annotations

from typing import Any

import psycopg2
import pymysql
import pytest
from sm2a_autoscaler.metadata.credentials import DatabaseSecret
from sm2a_autoscaler.metadata.database import (
    CONNECTION,
    COUNTS_QUERY,
    MYSQL_SESSION,
    DatabaseError,
    MetadataDatabase,
    TaskCounts,
    lock_key,
)

REFUSED = psycopg2.OperationalError("connection to server failed:\nFATAL:  password authentication failed")


class Driver:
    """``connect`` takes the next outcome: an exception to raise, or the replies of one session's queries in order."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[dict[str, Any]] = []
        self.sessions: list[Session] = []

    def connect(self, **parameters: Any) -> Session:
        """As psycopg2.connect."""
        self.calls.append(parameters)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        self.sessions.append(Session(outcome))
        return self.sessions[-1]


class Session:
    """A connection that is its own cursor."""

    def __init__(self, replies: list[Any]) -> None:
        self.replies = replies
        self.queries: list[str] = []
        self.closed = 0
        self.autocommit = False
        self.description: tuple[object, ...] | None = None

    def cursor(self) -> Session:
        return self

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, query: str, arguments: tuple[Any, ...]) -> None:
        self.queries.append(query)
        self.description = None if query.startswith("SET ") else ()
        if self.description is not None and isinstance(self.replies[0], Exception):
            raise self.replies.pop(0)

    def fetchall(self) -> Any:
        return self.replies.pop(0)

    def close(self) -> None:
        self.closed = 1


class Secrets:
    """A Secrets Manager whose secret has these values, one after the other."""

    def __init__(self, *passwords: str) -> None:
        self.passwords = list(passwords)
        self.reads = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 (the name in boto3)
        self.reads += 1
        password = self.passwords.pop(0) if len(self.passwords) > 1 else self.passwords[0]
        return {"SecretString": f"postgresql+psycopg2://airflow:{password}@h/airflow"}


def database(driver: Driver, secrets: Secrets | None = None) -> MetadataDatabase:
    """A session that is not open yet."""
    return MetadataDatabase(DatabaseSecret(secrets or Secrets("one"), "uri"), "sm2a", driver.connect)


def test_all_queues_come_from_one_query_on_one_bounded_read_only_session() -> None:
    driver = Driver([[("default", 1, 2, 3, 2), ("large", 0, 0, 4, 4)], []])
    subject = database(driver)
    assert subject.counts() == {
        "default": TaskCounts(scheduled=1, queued=2, running=3, busy_workers=2),
        "large": TaskCounts(scheduled=0, queued=0, running=4, busy_workers=4),
    }
    assert subject.counts() == {}
    assert driver.sessions[0].queries == [COUNTS_QUERY, COUNTS_QUERY]
    assert driver.sessions[0].autocommit
    (parameters,) = driver.calls
    assert parameters["password"] == "one"
    assert {name: parameters[name] for name in CONNECTION} == CONNECTION


def test_a_refused_password_is_read_again_and_tried_once_more() -> None:
    driver, secrets = Driver(REFUSED, [[]]), Secrets("one", "two")
    assert database(driver, secrets).counts() == {}
    assert [call["password"] for call in driver.calls] == ["one", "two"]


def test_an_unchanged_secret_is_not_tried_twice() -> None:
    driver, secrets = Driver(REFUSED), Secrets("one")
    with pytest.raises(DatabaseError, match=r"^connection to server failed: FATAL: password authentication failed$"):
        database(driver, secrets).counts()
    assert len(driver.calls) == 1
    assert secrets.reads == 2


def test_a_lost_session_is_closed_and_the_next_call_opens_another() -> None:
    driver = Driver([[(True,)], psycopg2.OperationalError("server closed the connection")], [[(False,)]])
    subject = database(driver)
    assert subject.acquire_lock()
    with pytest.raises(DatabaseError, match="server closed the connection"):
        subject.counts()
    assert driver.sessions[0].closed
    # The lock went with the session: it must be asked for again, and may be gone.
    assert not subject.acquire_lock()


def test_a_held_lock_is_not_asked_for_again() -> None:
    driver = Driver([[(True,)]])
    subject = database(driver)
    assert subject.acquire_lock()
    assert subject.acquire_lock()
    assert len(driver.sessions[0].queries) == 1


def test_closing_twice_is_harmless() -> None:
    driver = Driver([[]])
    subject = database(driver)
    subject.counts()
    subject.close()
    subject.close()
    assert driver.sessions[0].closed


def test_the_lock_key_is_stable_and_differs_by_environment() -> None:
    assert lock_key("sm2a") == lock_key("sm2a") != lock_key("sm2b")
    assert all(-(2**63) <= lock_key(str(number)) < 2**63 for number in range(100))


def test_mysql_gets_its_own_dialect_on_a_bounded_read_only_session(monkeypatch: pytest.MonkeyPatch) -> None:
    class MySql(Secrets):
        def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 (the name in boto3)
            return {"SecretString": "mysql+mysqldb://airflow:one@h:3307/airflow?ssl_mode=REQUIRED"}

    driver = Driver([[(1,)], [("SchedulerJob", "1.5")], [("default", 1, 2, 3, 2)]])
    monkeypatch.setattr(pymysql, "connect", driver.connect)
    subject = MetadataDatabase(DatabaseSecret(MySql("one"), "uri"), "sm2a", tick_seconds=20)
    assert subject.acquire_lock()
    assert subject.heartbeat_ages() == {"SchedulerJob": 1.5}
    assert subject.counts() == {"default": TaskCounts(scheduled=1, queued=2, running=3, busy_workers=2)}
    (parameters,) = driver.calls
    assert parameters["ssl"] == {"check_hostname": False}
    assert parameters["read_timeout"] == 8
    # A host that vanishes with the lock leaves it within a tick and the time that a silent one may take.
    assert parameters["init_command"] == MYSQL_SESSION.format(110)
    lock, heartbeats, _ = driver.sessions[0].queries
    assert "GET_LOCK" in lock
    assert "TIMESTAMPDIFF" in heartbeats


def test_a_lost_session_of_mysql_is_an_error_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(pymysql.err.OperationalError(1045, "Access denied"))
    monkeypatch.setattr(pymysql, "connect", driver.connect)

    class MySql(Secrets):
        def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 (the name in boto3)
            return {"SecretString": "mysql+mysqldb://airflow:one@h:3307/airflow"}

    with pytest.raises(DatabaseError, match="Access denied"):
        database(Driver(), MySql("one")).counts()
