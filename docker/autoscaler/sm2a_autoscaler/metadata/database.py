# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Airflow's metadata database: task counts, heartbeats, and the lock of the active instance.

One read-only session serves all of them, so that an instance that loses its session also loses the lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg2
import pymysql

from sm2a_autoscaler.metadata import dialect
from sm2a_autoscaler.metadata.credentials import MYSQL, CredentialsError, DatabaseSecret
from sm2a_autoscaler.metadata.dialect import Dialect
from sm2a_autoscaler.metadata.timeouts import bounded_connect

ERRORS = (psycopg2.Error, pymysql.err.MySQLError)
STATEMENT_TIMEOUT_SECONDS = 5
# For connection attempts, and for a server that does not enforce its own statement timeout.
ANSWER_TIMEOUT_SECONDS = 8
# Keepalives detect a dead peer. The server uses the same values: by default it would keep the lock of an instance that
# vanished without closing its connection for two hours.
CONNECTION = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "sm2a_autoscaler",
    # A replica or a demoted writer would return stale counts and grant a lock of its own.
    "target_session_attrs": "primary",
    "options": (
        f"-c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s -c default_transaction_read_only=on"
        " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
    ),
}
# MySQL ends a session that sends no query for one tick and this long; a tick in which all AWS calls time out takes over
# a minute. This also releases the lock of an instance that vanished without closing its session.
MYSQL_IDLE_SECONDS = 90
MYSQL_SESSION = (
    f"SET SESSION max_execution_time = {STATEMENT_TIMEOUT_SECONDS * 1000}, transaction_read_only = 1,"
    " time_zone = '+00:00', wait_timeout = {}"
)
# A `restarting` task is being stopped by its worker and still occupies a slot. `hostname` is the worker's address, so
# its distinct values are the busy workers, which must not be stopped. The query uses the index `ti_state`.
COUNTS_QUERY = """
SELECT queue,
       count(CASE WHEN state = 'scheduled' THEN 1 END),
       count(CASE WHEN state = 'queued' THEN 1 END),
       count(CASE WHEN state IN ('running', 'restarting') THEN 1 END),
       count(DISTINCT CASE WHEN state IN ('running', 'restarting') AND hostname <> '' THEN hostname END)
FROM task_instance
WHERE state IN ('scheduled', 'queued', 'running', 'restarting')
GROUP BY queue
"""
# The addresses of busy workers and the number of tasks that each of them runs.
BUSY_QUERY = """
SELECT hostname, count(*)
FROM task_instance
WHERE state IN ('running', 'restarting') AND hostname <> ''
GROUP BY hostname
"""
# Each process of an Airflow component writes heartbeats to a row of its own. Ages are computed by the server's clock.
HEARTBEATS_QUERY = """
SELECT job_type, {age}
FROM job
WHERE state = 'running' AND latest_heartbeat > now() - INTERVAL '1' DAY
GROUP BY job_type
"""


class DatabaseError(Exception):
    """The database could not be read; the message is one line without secrets."""


@dataclass(frozen=True, kw_only=True)
class TaskCounts:
    """Task instances of one queue by state, and the number of workers that run them."""

    scheduled: int = 0
    queued: int = 0
    running: int = 0
    busy_workers: int = 0


@dataclass(frozen=True)
class TaskRead:
    """Result of reading the counts: counts by queue, or None and the reason in ``problem``."""

    counts: Mapping[str, TaskCounts] | None
    read_at: float
    problem: str | None = None


class Reader(Protocol):
    """Anything that can send read-only queries to the database."""

    def query(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows; raises DatabaseError."""


class MetadataDatabase:
    """A session that is opened on first use, dropped at the first error, and opened again at the next call.

    It is used every ``tick_seconds``.
    """

    def __init__(
        self,
        secret: DatabaseSecret,
        lock_name: str,
        connect: Callable[..., Any] | None = None,
        tick_seconds: float = 10,
    ) -> None:
        self._secret = secret
        self._tick_seconds = tick_seconds
        self._lock_key = lock_key(lock_name)
        self._connect = connect or bounded_connect(ANSWER_TIMEOUT_SECONDS)
        self._connection: Any = None
        self._holds_lock = False

    def acquire_lock(self) -> bool:
        """True when this session holds the lock of the active instance; False when another one does."""
        if self._connection is None or _is_closed(self._connection):
            self.close()
        if not self._holds_lock:
            self._holds_lock = bool(self._rows(self.dialect().lock, (self._lock_key,))[0][0])
        return self._holds_lock

    def counts(self) -> Mapping[str, TaskCounts]:
        """Task counts by queue; queues without waiting or running tasks are absent. Raises DatabaseError."""
        return {
            str(queue): TaskCounts(scheduled=scheduled, queued=queued, running=running, busy_workers=busy)
            for queue, scheduled, queued, running, busy in self._rows(COUNTS_QUERY)
        }

    def heartbeat_ages(self) -> Mapping[str, float]:
        """Seconds since the latest heartbeat within a day, by job type (``SchedulerJob``). Raises DatabaseError."""
        query = HEARTBEATS_QUERY.format(age=self.dialect().seconds_since("max(latest_heartbeat)"))
        return {str(job_type): max(0.0, float(age)) for job_type, age in self._rows(query)}

    def busy_addresses(self) -> Mapping[str, int]:
        """The current number of running tasks by worker address. Raises DatabaseError."""
        return {str(hostname): int(count) for hostname, count in self._rows(BUSY_QUERY)}

    @contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """Context in which each statement may take at most ``seconds``. Raises DatabaseError."""
        self._rows(self.dialect().statement_timeout(seconds))
        try:
            yield
        finally:
            if self._connection is not None:
                self._rows(self.dialect().statement_timeout(STATEMENT_TIMEOUT_SECONDS))

    def query(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query that may fail: an error reported by the server does not end the session, so the lock is kept.

        Raises DatabaseError.
        """
        return self._rows(query, tuple(arguments), keep=True)

    def dialect(self) -> Dialect:
        """The SQL dialect of the server. Raises DatabaseError."""
        try:
            return dialect.MYSQL if self._secret.dialect() == MYSQL else dialect.POSTGRES
        except CredentialsError as error:
            raise DatabaseError(_one_line(error)) from error

    def close(self) -> None:
        """End the session, which releases the lock."""
        connection, self._connection, self._holds_lock = self._connection, None, False
        if connection is not None:
            connection.close()

    def _rows(self, query: str, arguments: tuple[Any, ...] = (), keep: bool = False) -> list[tuple[Any, ...]]:
        try:
            if self._connection is None:
                self._connection = self._open()
            with self._connection.cursor() as cursor:
                cursor.execute(query, arguments)
                return list(cursor.fetchall()) if cursor.description is not None else []
        except (*ERRORS, CredentialsError) as error:
            if not (keep and self._connection is not None and _survived(self._connection, error)):
                self.close()
            raise DatabaseError(_one_line(error)) from error

    def _open(self) -> Any:
        """A new session; if it is refused and the secret has changed meanwhile (rotation), one retry."""
        try:
            return self._session()
        except (psycopg2.OperationalError, pymysql.err.OperationalError):
            if not self._secret.refresh():
                raise
            return self._session()

    def _session(self) -> Any:
        if self._secret.dialect() == MYSQL:
            return connect_to_mysql(self._secret.parameters(), self._tick_seconds)
        connection = self._connect(**{**self._secret.parameters(), **CONNECTION})
        # An open transaction between ticks would hold back vacuum.
        connection.autocommit = True
        return connection


def connect_to_mysql(parameters: Mapping[str, Any], tick_seconds: float) -> Any:
    """A read-only session with the same timeouts as on PostgreSQL."""
    return pymysql.connect(
        **parameters,
        autocommit=True,
        connect_timeout=ANSWER_TIMEOUT_SECONDS,
        read_timeout=ANSWER_TIMEOUT_SECONDS,
        write_timeout=ANSWER_TIMEOUT_SECONDS,
        init_command=MYSQL_SESSION.format(round(tick_seconds + MYSQL_IDLE_SECONDS)),
    )


def _is_closed(connection: Any) -> bool:
    return not connection.open if isinstance(connection, pymysql.connections.Connection) else bool(connection.closed)


def _survived(connection: Any, error: Exception) -> bool:
    """True when the server reported the error and keeps the session open."""
    if isinstance(error, psycopg2.Error):
        # 57P01 and related codes mean that the server ends the session.
        return bool(error.pgcode) and not str(error.pgcode).startswith("57P") and not _is_closed(connection)
    return isinstance(error, pymysql.err.MySQLError) and not _is_closed(connection)


def lock_key(name: str) -> int:
    """A signed 64-bit advisory lock key, the same for the same name everywhere."""
    digest = hashlib.sha256(f"sm2a_autoscaler:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
