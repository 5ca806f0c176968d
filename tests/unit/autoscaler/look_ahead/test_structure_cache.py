# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The structures that are kept: those in use, within a number of tasks, and what a failing read leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sm2a_autoscaler.look_ahead import structure_cache
from sm2a_autoscaler.look_ahead.structure_cache import DAGS_PER_TICK, RETRY_SECONDS, StructureCache
from sm2a_autoscaler.metadata.database import DatabaseError

TASKS = 9  # of every DAG; with one for itself each takes ten of the memory
VERSIONS = [f"version_{number:02}" for number in range(DAGS_PER_TICK + 5)]


class Reader:
    """Serves a DAG for every version; records which ones were read. A query for ``too_much`` fails."""

    def __init__(self, too_much: str = "") -> None:
        self.read: list[list[str]] = []
        self.too_much = too_much

    def query(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        versions = [str(version) for version in arguments]
        if "data_compressed" not in query:
            return [(version, "hash") for version in versions]
        self.read.append(versions)
        if self.too_much in versions:
            raise DatabaseError("statement timeout")
        tasks = [{"__var": {"task_id": f"task_{number}"}} for number in range(TASKS)]
        return [(version, "dag", "hash", {"dag": {"tasks": tasks}}, None) for version in versions]


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """For three DAGs."""
    monkeypatch.setattr(structure_cache, "CACHE_SIZE_TASKS", 30)


def want(subject: StructureCache, reader: Reader, *versions: str, now: float = 0) -> set[str]:
    """Ask for these versions; those that are known then."""
    subject.refresh(reader, versions, now)
    return set(subject.known(versions))


def test_what_was_not_wanted_for_the_longest_is_forgotten_first(small_memory: None) -> None:
    subject, reader = StructureCache(), Reader()
    oldest, second, third, new = VERSIONS[:4]
    for version in (oldest, second, third, oldest):
        want(subject, reader, version)
    assert want(subject, reader, new) == {new}
    assert set(subject.known(VERSIONS)) == {oldest, third, new}
    assert reader.read == [[oldest], [second], [third], [new]]


def test_what_is_wanted_together_is_kept_and_bounded_by_its_tasks(small_memory: None) -> None:
    subject, reader = StructureCache(), Reader()
    assert want(subject, reader, *VERSIONS[:2]) == set(VERSIONS[:2])
    # What was read at once may go beyond the bound; nothing further is read then, and nothing is read anew.
    everything = want(subject, reader, *VERSIONS[:8])
    for _ in range(3):
        assert want(subject, reader, *VERSIONS) == everything == set(VERSIONS[:8])
    assert len(reader.read) == 2
    assert want(subject, reader, VERSIONS[20]) == {VERSIONS[20]}
    assert len(subject.known(VERSIONS)) == 3


def test_dags_that_are_too_much_are_read_in_parts_until_only_the_cause_is_left_out() -> None:
    subject, reader = StructureCache(), Reader(VERSIONS[-1])
    for _ in range(5):
        with pytest.raises(DatabaseError):
            want(subject, reader, *VERSIONS)
    assert [len(versions) for versions in reader.read] == [25, 12, 6, 3, 1]
    (problem,) = subject.problems(VERSIONS)
    assert problem == f"the serialized DAG of version {VERSIONS[-1]} could not be read: statement timeout"
    for _ in range(6):
        known = want(subject, reader, *VERSIONS, now=RETRY_SECONDS - 1)
    assert known == set(VERSIONS[:-1])
    assert [len(versions) for versions in reader.read[5:]] == [1, 2, 4, 8, 14]
    reader.too_much = ""
    assert want(subject, reader, *VERSIONS, now=RETRY_SECONDS) == set(VERSIONS)
    assert subject.problems(VERSIONS) == []
