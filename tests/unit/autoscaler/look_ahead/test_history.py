# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Task history: estimates of remaining time, and look-ups in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.postgres import Postgres
from sm2a_autoscaler.look_ahead.history import (
    CACHE_TTL_SECONDS,
    LOOKUPS,
    SCANNED_INSTANCES,
    UNKNOWN_TTL_SECONDS,
    History,
    read_past,
)
from sm2a_autoscaler.look_ahead.model import Past
from sm2a_autoscaler.metadata.database import DatabaseError

KEYS = [("dag", f"task_{number}") for number in range(LOOKUPS + 30)]


class Reader:
    """Every task took 5 s; records which ones were looked up. A query for the one that is ``too_much`` fails."""

    def __init__(self, too_much: str = "") -> None:
        self.asked: list[list[str]] = []
        self.too_much = too_much

    def query(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        names = list(arguments)[2::5]
        self.asked.append(names)
        if self.too_much in names:
            raise DatabaseError("statement timeout")
        return [(number, "run", -1, 5.0) for number in range(len(names))]


@pytest.mark.parametrize(
    ("durations", "elapsed", "expected"),
    [
        ((), 5, None),
        ((10, 20, 30), 0, 20),
        # What was left to those that took longer: 10 and 20 s after 10 s.
        ((10, 20, 30), 10, 15),
        ((10, 20, 30), 29, 1),
        ((10, 20, 30), 40, 0),
        # So late that the history tells nothing.
        ((10, 20, 30), 91, None),
    ],
)
def test_the_rest_of_a_task_is_estimated(durations: tuple[float, ...], elapsed: float, expected: float | None) -> None:
    assert Past(durations).remaining(elapsed) == expected


def test_a_mean_needs_a_past() -> None:
    assert (Past(()).mean, Past((1, 3)).mean) == (None, 2)


def test_many_tasks_are_looked_up_in_turn_the_first_named_first() -> None:
    subject, reader = History(), Reader()
    for _ in range(3):
        subject.refresh(reader, KEYS, 0)
    assert [len(names) for names in reader.asked] == [LOOKUPS, 30]
    assert reader.asked[0] == [task for _, task in KEYS[:LOOKUPS]]
    assert subject.of(KEYS[-1]) == Past((5.0,))
    assert subject.of(("dag", "other")) is None


def test_knowledge_grows_old_and_unknown_tasks_go_before_it() -> None:
    subject, reader = History(), Reader()
    subject.refresh(reader, KEYS[:2], 0)
    subject.refresh(reader, KEYS[:2], CACHE_TTL_SECONDS - 1)
    assert len(reader.asked) == 1
    subject.refresh(reader, [*KEYS[:2], KEYS[5]], CACHE_TTL_SECONDS)
    assert reader.asked[1] == ["task_5", "task_0", "task_1"]


def test_a_task_without_a_past_is_looked_up_again_soon_and_then_ever_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subject, reader = History(), Reader()
    monkeypatch.setattr(reader, "query", lambda *_: [])
    now = 0.0
    for wait in (1, 2, 4, 8):
        subject.refresh(reader, KEYS[:1], now)
        assert subject.of(KEYS[0]) == Past(())
        now += wait * UNKNOWN_TTL_SECONDS
    subject.refresh(reader, KEYS[:1], now)
    monkeypatch.undo()
    subject.refresh(reader, KEYS[:1], now + CACHE_TTL_SECONDS - 1)
    assert reader.asked == []
    subject.refresh(reader, KEYS[:1], now + CACHE_TTL_SECONDS)
    assert subject.of(KEYS[0]) == Past((5.0,))


def refresh_in_vain(subject: History, reader: Reader, now: float = 0) -> None:
    """One look-up that the database cancels."""
    with pytest.raises(DatabaseError, match="statement timeout"):
        subject.refresh(reader, KEYS, now)


def test_what_was_too_much_is_asked_for_in_parts_until_only_the_cause_is_left_out() -> None:
    subject, reader = History(), Reader("task_0")
    for _ in range(7):
        refresh_in_vain(subject, reader)
    assert [len(names) for names in reader.asked] == [100, 50, 25, 12, 6, 3, 1]
    assert subject.of(KEYS[0]) == Past(())
    for _ in range(9):
        subject.refresh(reader, KEYS, 1)
    assert [len(names) for names in reader.asked[7:]] == [1, 2, 4, 8, 16, 32, 64, 2]
    assert all(subject.of(key) == Past((5.0,)) for key in KEYS[1:])
    # It has its turn again with the others.
    refresh_in_vain(subject, reader, CACHE_TTL_SECONDS)


def test_few_tasks_that_are_too_much_are_halved_as_well() -> None:
    subject, reader = History(), Reader("task_2")
    for _ in range(3):
        try:
            subject.refresh(reader, KEYS[:3], 0)
        except DatabaseError:
            continue
    assert reader.asked == [["task_0", "task_1", "task_2"], ["task_0"], ["task_1", "task_2"]]


def test_what_is_known_of_a_task_outlives_a_failure() -> None:
    subject, reader = History(), Reader()
    subject.refresh(reader, KEYS[:1], 0)
    reader.too_much = "task_0"
    with pytest.raises(DatabaseError):
        subject.refresh(reader, KEYS[:1], CACHE_TTL_SECONDS)
    assert subject.of(KEYS[0]) == Past((5.0,))
    subject.refresh(reader, KEYS[:1], 2 * CACHE_TTL_SECONDS - 1)
    assert len(reader.asked) == 2


class Server:
    """Asks a real server."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres

    def query(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with closing(self.postgres.superuser()) as connection, connection.cursor() as cursor:
            cursor.execute(query, arguments)
            return list(cursor.fetchall())


@pytest.fixture
def server(postgres: Postgres) -> Iterator[Server]:
    """With a task that took 5 s in its first run, 7 s in the next three, and is mapped since."""
    for number in range(4):
        postgres.add_tasks("dag", f"run_0000{number}", "task", state="success", duration=7 if number else 5)
    postgres.add_tasks("dag", "run_00004", "task", 3, state="success", duration=9)
    yield Server(postgres)


def add_runs(server: Server, state: str | None, first: int, runs: int) -> None:
    """So many runs in which the task has this state."""
    server.postgres.execute(
        "INSERT INTO task_instance (id, dag_id, run_id, task_id, state, duration, try_number, pool, pool_slots)"
        " SELECT gen_random_uuid(), 'dag', 'run_' || lpad(number::text, 5, '0'), 'task', %s, 1, 1, 'default_pool', 1"
        " FROM generate_series(%s, %s) number",
        state,
        first,
        first + runs - 1,
    )


def test_the_last_instances_that_succeeded_tell_of_a_task(server: Server) -> None:
    keys = [("dag", "task"), ("dag", "other")]
    assert read_past(server, keys) == {keys[0]: Past((9, 9, 9, 7, 7, 7, 5), 3), keys[1]: Past(())}
    add_runs(server, "success", 10, 9)
    assert read_past(server, keys[:1]) == {keys[0]: Past((1,) * 9 + (9,), 3)}


def test_the_search_ends_after_a_bounded_number_of_ended_instances(server: Server) -> None:
    keys = [("dag", "task")]
    add_runs(server, "skipped", 10, SCANNED_INSTANCES - 4)
    assert read_past(server, keys) == {keys[0]: Past((9, 9, 9, 7), 3)}
    add_runs(server, "failed", 1_000, 10)
    assert read_past(server, keys) == {keys[0]: Past(())}


@pytest.mark.parametrize("state", ["running", "queued", "up_for_retry", "deferred", None])
def test_instances_that_have_not_ended_do_not_hide_those_that_have(server: Server, state: str | None) -> None:
    add_runs(server, state, 10, 2 * SCANNED_INSTANCES)
    assert read_past(server, [("dag", "task")])["dag", "task"].durations == (9, 9, 9, 7, 7, 7, 5)


def test_what_was_asked_for_longest_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sm2a_autoscaler.look_ahead.history.CACHE_SIZE", 3)
    subject, reader = History(), Reader()
    for number in range(5):
        subject.refresh(reader, [KEYS[number]], number)
    assert [subject.of(key) is not None for key in KEYS[:5]] == [False, False, True, True, True]
