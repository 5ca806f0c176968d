# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""How long tasks took before: durations of the last instances of each (dag_id, task_id), read once and kept a while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sm2a_autoscaler.look_ahead.batch_size import Batch
from sm2a_autoscaler.metadata.database import DatabaseError

TaskKey = tuple[str, str]  # dag_id, task_id

SAMPLES = 10  # instances of a task that tell of its past
WALKED = 200  # ended instances among which they are looked for
KEPT_SECONDS = 600.0  # before a task is looked up again
UNKNOWN_SECONDS = 60.0  # before one without a past is; each time twice as long, up to KEPT_SECONDS
LOOKUPS = 100  # tasks looked up in one tick; the others follow in the next ones
REMEMBERED = 20_000  # tasks
PATIENCE_SECONDS = 30.0  # that a task may be overdue, besides twice its longest duration

# The index `ti_state_lkp` (dag_id, task_id, run_id, state) is read backwards: ids of runs end in their time, so the
# last of a kind come first. The walk is bounded, or a task that is almost always skipped would lead through all of its
# history. PostgreSQL ends it as soon as enough are found; MySQL has all that it needs in the index itself.
SAMPLE_QUERY = """
(SELECT %s AS number, latest.run_id, ti.map_index, ti.duration
FROM (
    SELECT id, run_id, state
    FROM task_instance
    WHERE dag_id = %s AND task_id = %s AND state IN ('success', 'failed', 'skipped', 'upstream_failed', 'removed')
    ORDER BY dag_id DESC, task_id DESC, run_id DESC
    LIMIT %s
) latest
JOIN task_instance ti ON ti.id = latest.id
WHERE latest.state = 'success'
ORDER BY latest.run_id DESC
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


UNKNOWN = Past(())


@dataclass(frozen=True)
class LookUp:
    """What was found at a time (monotonic seconds), and for how many seconds it is kept."""

    past: Past
    at: float
    kept: float


class History:
    """What is known of tasks. ``refresh`` fills it by and by: unknown tasks first, then those looked up longest ago."""

    def __init__(self) -> None:
        self._found: dict[TaskKey, LookUp] = {}
        self._batch = Batch(LOOKUPS)

    def of(self, key: TaskKey) -> Past | None:
        """The past of a task; None when it was not looked up yet."""
        found = self._found.get(key)
        return found.past if found else None

    def refresh(self, reader: Reader, keys: Iterable[TaskKey], now: float) -> None:
        """Look up some of the tasks, oldest knowledge first; ``now`` is monotonic seconds. Raises DatabaseError.

        A task whose look-up fails even alone keeps the past that it has, and its turn comes as if it had been found.
        """
        due = [key for key in dict.fromkeys(keys) if self._due(key, now)]
        due = sorted(due, key=self._looked_up_at)[: self._batch.size]
        if not due:
            return
        try:
            found = read_past(reader, due)
        except DatabaseError:
            self._batch.failed(len(due))
            if len(due) == 1:
                self._enter(due[0], LookUp(self.of(due[0]) or UNKNOWN, now, KEPT_SECONDS))
            raise
        self._batch.succeeded()
        for key, past in found.items():
            self._enter(key, LookUp(past, now, self._kept_seconds(key, past)))
        for key in list(self._found)[: max(0, len(self._found) - REMEMBERED)]:
            del self._found[key]

    def _due(self, key: TaskKey, now: float) -> bool:
        found = self._found.get(key)
        return found is None or now - found.at >= found.kept

    def _looked_up_at(self, key: TaskKey) -> float:
        found = self._found.get(key)
        return found.at if found else float("-inf")

    def _kept_seconds(self, key: TaskKey, past: Past) -> float:
        before = self._found.get(key)
        if past.durations:
            return KEPT_SECONDS
        return min(KEPT_SECONDS, 2 * before.kept) if before else UNKNOWN_SECONDS

    def _enter(self, key: TaskKey, found: LookUp) -> None:
        # Anew, so that the order of the dictionary is that of the look-ups.
        self._found.pop(key, None)
        self._found[key] = found


def read_past(reader: Reader, keys: list[TaskKey]) -> Mapping[TaskKey, Past]:
    """One query for the durations of all these tasks, and one for the widths of those that are mapped."""
    query = " UNION ALL ".join([SAMPLE_QUERY] * len(keys))
    durations: dict[int, list[float]] = {}
    mapped_runs: dict[int, str] = {}
    arguments = [part for number, key in enumerate(keys) for part in (number, *key, WALKED, SAMPLES)]
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
