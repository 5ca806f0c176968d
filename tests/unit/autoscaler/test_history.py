# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The past of tasks: estimates of what is left, and look-ups that are few and take turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sm2a_autoscaler.history import KEPT_SECONDS, LOOKUPS, UNKNOWN_SECONDS, History, Past

KEYS = [("dag", f"task_{number}") for number in range(LOOKUPS + 30)]


class Reader:
    """Every task took 5 s; records which ones were looked up."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def look(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        names = list(arguments)[2::4]
        self.asked.append(names)
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
    subject.refresh(reader, KEYS[:2], KEPT_SECONDS - 1)
    assert len(reader.asked) == 1
    subject.refresh(reader, [*KEYS[:2], KEYS[5]], KEPT_SECONDS)
    assert reader.asked[1] == ["task_5", "task_0", "task_1"]


def test_a_task_without_a_past_is_looked_up_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    subject, reader = History(), Reader()
    monkeypatch.setattr(reader, "look", lambda *_: [])
    subject.refresh(reader, KEYS[:1], 0)
    assert subject.of(KEYS[0]) == Past(())
    monkeypatch.undo()
    subject.refresh(reader, KEYS[:1], UNKNOWN_SECONDS - 1)
    assert reader.asked == []
    subject.refresh(reader, KEYS[:1], UNKNOWN_SECONDS)
    assert subject.of(KEYS[0]) == Past((5.0,))


def test_what_was_asked_for_longest_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sm2a_autoscaler.history.REMEMBERED", 3)
    subject, reader = History(), Reader()
    for number in range(5):
        subject.refresh(reader, [KEYS[number]], number)
    assert [subject.of(key) is not None for key in KEYS[:5]] == [False, False, True, True, True]
