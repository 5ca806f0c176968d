# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""How long tasks took before: durations of the last instances of each (dag_id, task_id), read once and kept a while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

TaskKey = tuple[str, str]  # dag_id, task_id

SAMPLES = 10  # instances of a task that are looked at
KEPT_SECONDS = 600.0  # before a task is looked up again
UNKNOWN_SECONDS = 60.0  # before one without a past is
LOOKUPS = 100  # tasks looked up in one tick; the others follow in the next ones
REMEMBERED = 20_000  # tasks
PATIENCE_SECONDS = 30.0  # that a task may be overdue, besides twice its longest duration

# The index `ti_state_lkp` (dag_id, task_id, run_id, state) is read backwards: ids of runs end in their time, so the
# last of a kind come first. Both engines take so many entries from it, however long the history is.
SAMPLE_QUERY = """
(SELECT %s AS number, run_id, map_index, duration
FROM task_instance
WHERE dag_id = %s AND task_id = %s AND state = 'success'
ORDER BY dag_id DESC, task_id DESC, run_id DESC
LIMIT %s)
"""
WIDTH_QUERY = """
SELECT %s AS number, count(*) AS width
FROM task_instance
WHERE dag_id = %s AND task_id = %s AND run_id = %s AND map_index >= 0
"""


class Reader(Protocol):
    """Who can look into the database."""

    def look(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows; raises DatabaseError."""


@dataclass(frozen=True)
class Past:
    """Seconds that the last instances of one task took, and how many instances its last run had."""

    durations: tuple[float, ...]
    width: int = 1

    @property
    def mean(self) -> float | None:
        """Mean duration in seconds, None without any."""
        return sum(self.durations) / len(self.durations) if self.durations else None

    def remaining(self, elapsed: float) -> float | None:
        """Expected seconds until a task that runs since ``elapsed`` seconds ends.

        The mean of what was left to those that took longer, 0 when none did. None without a history, and for a task so
        long overdue that the history tells nothing about it.
        """
        if not self.durations or elapsed > 2 * max(self.durations) + PATIENCE_SECONDS:
            return None
        left = [duration - elapsed for duration in self.durations if duration > elapsed]
        return sum(left) / len(left) if left else 0.0


class History:
    """What is known of tasks. ``refresh`` fills it by and by: unknown tasks first, then those looked up longest ago."""

    def __init__(self) -> None:
        self._past: dict[TaskKey, Past] = {}
        self._read_at: dict[TaskKey, float] = {}

    def of(self, key: TaskKey) -> Past | None:
        """The past of a task; None when it was not looked up yet."""
        return self._past.get(key)

    def refresh(self, reader: Reader, keys: Iterable[TaskKey], now: float) -> None:
        """Look up some of the tasks, oldest knowledge first; ``now`` is monotonic seconds. Raises DatabaseError."""
        due = [key for key in dict.fromkeys(keys) if self._due(key, now)]
        due = sorted(due, key=lambda key: self._read_at.get(key, float("-inf")))[:LOOKUPS]
        if not due:
            return
        found = read_past(reader, due)
        for key in due:
            # Entered anew, so that the order of the dictionary is that of the look-ups.
            self._read_at.pop(key, None)
            self._past[key] = found[key]
            self._read_at[key] = now
        for key in list(self._read_at)[: max(0, len(self._read_at) - REMEMBERED)]:
            del self._read_at[key], self._past[key]

    def _due(self, key: TaskKey, now: float) -> bool:
        if key not in self._past:
            return True
        return now - self._read_at[key] >= (KEPT_SECONDS if self._past[key].durations else UNKNOWN_SECONDS)


def read_past(reader: Reader, keys: list[TaskKey]) -> Mapping[TaskKey, Past]:
    """One query for the durations of all these tasks, and one for the widths of those that are mapped."""
    query = " UNION ALL ".join([SAMPLE_QUERY] * len(keys))
    durations: dict[int, list[float]] = {}
    mapped_runs: dict[int, str] = {}
    arguments = [part for number, key in enumerate(keys) for part in (number, *key, SAMPLES)]
    for number, run_id, map_index, duration in reader.look(query, arguments):
        if duration is not None:
            durations.setdefault(int(number), []).append(float(duration))
        if map_index >= 0:
            mapped_runs.setdefault(int(number), run_id)
    widths: dict[int, int] = {}
    if mapped_runs:
        arguments = [part for number, run in mapped_runs.items() for part in (number, *keys[number], run)]
        rows = reader.look(" UNION ALL ".join([WIDTH_QUERY] * len(mapped_runs)), arguments)
        widths = {int(number): int(width) for number, width in rows}
    return {key: Past(tuple(durations.get(i, ())), widths.get(i, 1)) for i, key in enumerate(keys)}
