# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Failed logins are counted in a real PostgreSQL, by several web servers at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from ansible_collections.sm2a.airflow.tests.support.postgres import Postgres, postgres_server
from sm2a_runtime.front_door.delays import FORGET_SECONDS, KNOWN_SECONDS, Limits, subjects
from sm2a_runtime.front_door.failed_logins import TABLE, FailedLogins

__all__ = ["postgres_server"]

NOW = 1_800_000_000
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def connect(postgres_server: Postgres) -> Callable[[], Any]:
    postgres_server.execute(f"DROP TABLE IF EXISTS {TABLE}")
    return lambda: psycopg2.connect(postgres_server.uri().replace("+psycopg2", ""))


@pytest.fixture
def logins(connect: Callable[[], Any]) -> FailedLogins:
    made = FailedLogins(connect, "postgresql", Limits())
    assert made.ensure_table()
    return made


def rows(logins: FailedLogins) -> dict[str, tuple[int, int, int]]:
    with closing(logins.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT subject, failures, failed_at, succeeded_at FROM {TABLE}")  # noqa: S608
        return {row[0]: row[1:] for row in cursor.fetchall()}


def test_the_table_is_made_once(logins: FailedLogins) -> None:
    assert not logins.ensure_table()


def test_failures_count_and_make_wait(logins: FailedLogins) -> None:
    assert [logins.attempt("admin", HERE, NOW) for _ in range(5)] == [0] * 5
    assert logins.attempt("admin", HERE, NOW) == 1
    assert logins.attempt("ADMIN", HERE, NOW) == 1, "refused attempts do not count"
    assert logins.attempt("admin", THERE, NOW) == 0
    assert logins.attempt("admin", HERE, NOW + 1) == 0
    assert logins.attempt("admin", HERE, NOW + 2) == 1, "now it is two seconds"


def test_attempts_at_the_same_moment_do_not_pass_together(logins: FailedLogins) -> None:
    other = FailedLogins(logins.connect, "postgresql", logins.limits)
    servers = [logins, other] * 15
    with ThreadPoolExecutor(15) as pool:
        waits = list(pool.map(lambda server: server.attempt("admin", HERE, NOW), servers))
    assert waits.count(0) == 5


def test_different_users_at_the_same_moment_do_not_wait_for_each_other(logins: FailedLogins) -> None:
    with ThreadPoolExecutor(10) as pool:
        waits = list(pool.map(lambda number: logins.attempt(f"user-{number % 7}", HERE, NOW), range(35)))
    assert waits == [0] * 35


def test_an_address_is_limited_with_ever_new_names(logins: FailedLogins) -> None:
    waits = [logins.attempt(f"user-{number}", HERE, NOW) for number in range(60)]
    assert waits[:50] == [0] * 50
    assert set(waits[50:]) == {1}
    assert len(rows(logins)) <= 2 * 60 + 1


def test_a_user_is_limited_from_ever_new_addresses_but_not_where_they_are_at_home(logins: FailedLogins) -> None:
    logins.attempt("admin", HERE, NOW)
    logins.succeeded("admin", HERE, NOW)
    for number in range(60):
        logins.attempt("admin", f"198.51.100.{number}", NOW)
    assert logins.attempt("admin", THERE, NOW) == 1
    assert logins.attempt("admin", HERE, NOW) == 0


def test_a_right_password_takes_the_attempt_back(logins: FailedLogins) -> None:
    for _ in range(4):
        logins.attempt("admin", HERE, NOW)
    logins.attempt("admin", HERE, NOW)
    logins.succeeded("admin", HERE, NOW)
    keys, found = subjects("admin", HERE), rows(logins)
    assert found[keys["user and address"]] == (0, NOW, NOW)
    assert found[keys["user"]][0] == found[keys["address"]][0] == 4


def test_an_attempt_that_could_not_be_judged_does_not_count(logins: FailedLogins) -> None:
    for _ in range(20):
        assert logins.attempt("admin", HERE, NOW) == 0
        logins.take_back("admin", HERE)
    assert {row[0] for row in rows(logins).values()} == {0}


def test_what_is_old_is_forgotten(logins: FailedLogins) -> None:
    for _ in range(10):
        logins.attempt("admin", HERE, NOW)
    assert logins.attempt("admin", HERE, NOW + FORGET_SECONDS) == 0
    assert rows(logins)[subjects("admin", HERE)["user and address"]][0] == 1
    logins.attempt("other", THERE, NOW + KNOWN_SECONDS)
    logins.succeeded("other", THERE, NOW + KNOWN_SECONDS)
    assert set(rows(logins)) == set(subjects("other", THERE).values())
