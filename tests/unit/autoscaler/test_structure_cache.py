# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The structures that are kept: those in use, within a number of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sm2a_autoscaler import structure_cache
from sm2a_autoscaler.structure_cache import PARSED_AT_ONCE, Structures

TASKS = 9  # of every DAG; with one for itself each takes ten of the memory
VERSIONS = [f"version_{number:02}" for number in range(PARSED_AT_ONCE + 5)]


class Reader:
    """Serves a DAG for every version; records which ones were read."""

    def __init__(self) -> None:
        self.read: list[list[str]] = []

    def look(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        versions = [str(version) for version in arguments]
        if "data_compressed" not in query:
            return [(version, "hash") for version in versions]
        self.read.append(versions)
        tasks = [{"__var": {"task_id": f"task_{number}"}} for number in range(TASKS)]
        return [(version, "dag", "hash", {"dag": {"tasks": tasks}}, None) for version in versions]


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """For three DAGs."""
    monkeypatch.setattr(structure_cache, "REMEMBERED_TASKS", 30)


def want(subject: Structures, reader: Reader, *versions: str) -> set[str]:
    """Ask for these versions; those that are known then."""
    subject.refresh(reader, versions)
    return set(subject.known(versions))


def test_what_was_not_wanted_for_the_longest_is_forgotten_first(small_memory: None) -> None:
    subject, reader = Structures(), Reader()
    oldest, second, third, new = VERSIONS[:4]
    for version in (oldest, second, third, oldest):
        want(subject, reader, version)
    assert want(subject, reader, new) == {new}
    assert set(subject.known(VERSIONS)) == {oldest, third, new}
    assert reader.read == [[oldest], [second], [third], [new]]


def test_what_is_wanted_together_is_kept_and_bounded_by_its_tasks(small_memory: None) -> None:
    subject, reader = Structures(), Reader()
    assert want(subject, reader, *VERSIONS[:2]) == set(VERSIONS[:2])
    # What was read at once may go beyond the bound; nothing further is read then, and nothing is read anew.
    everything = want(subject, reader, *VERSIONS[:8])
    for _ in range(3):
        assert want(subject, reader, *VERSIONS) == everything == set(VERSIONS[:8])
    assert len(reader.read) == 2
    assert want(subject, reader, VERSIONS[20]) == {VERSIONS[20]}
    assert len(subject.known(VERSIONS)) == 3
