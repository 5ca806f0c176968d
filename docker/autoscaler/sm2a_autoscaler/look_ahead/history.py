# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Task history: durations of the last instances of each (dag_id, task_id), cached for some minutes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sm2a_autoscaler.look_ahead.batch_size import Batch
from sm2a_autoscaler.look_ahead.model import UNKNOWN, Past, TaskKey
from sm2a_autoscaler.metadata.database import DatabaseError, Reader

SAMPLES = 10  # latest successful instances that count
SCANNED_INSTANCES = 200  # latest ended instances in which the samples are searched
CACHE_TTL_SECONDS = 600.0
UNKNOWN_TTL_SECONDS = 60.0  # for tasks without a history; doubled with each look-up, up to CACHE_TTL_SECONDS
LOOKUPS = 100  # tasks looked up in one tick; the others follow in later ticks
CACHE_SIZE = 20_000  # tasks

# The index `ti_state_lkp` (dag_id, task_id, run_id, state) is scanned backwards: run ids end in a timestamp, so the
# latest runs of each type come first. The scan is bounded because a task that is almost always skipped would otherwise
# cause a scan of its whole history. PostgreSQL stops once enough rows are found; MySQL needs nothing but the index.
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


@dataclass(frozen=True)
class LookUp:
    """A cache entry: the ``past`` that was read ``at`` a time (monotonic seconds), and its time to live in seconds."""

    past: Past
    at: float
    ttl: float


class History:
    """The cache of task histories. ``refresh`` fills it step by step: unknown tasks first, then the oldest entries."""

    def __init__(self) -> None:
        self._found: dict[TaskKey, LookUp] = {}
        self._batch = Batch(LOOKUPS)

    def of(self, key: TaskKey) -> Past | None:
        """The history of a task; None if it was not looked up yet."""
        found = self._found.get(key)
        return found.past if found else None

    def refresh(self, reader: Reader, keys: Iterable[TaskKey], now: float) -> None:
        """Look up some of the tasks, oldest entries first; ``now`` is monotonic seconds. Raises DatabaseError.

        A task whose look-up fails even on its own keeps its entry, and is retried after the same time as any other.
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
                self._enter(due[0], LookUp(self.of(due[0]) or UNKNOWN, now, CACHE_TTL_SECONDS))
            raise
        self._batch.succeeded()
        for key, past in found.items():
            self._enter(key, LookUp(past, now, self._ttl(key, past)))
        for key in list(self._found)[: max(0, len(self._found) - CACHE_SIZE)]:
            del self._found[key]

    def _due(self, key: TaskKey, now: float) -> bool:
        found = self._found.get(key)
        return found is None or now - found.at >= found.ttl

    def _looked_up_at(self, key: TaskKey) -> float:
        found = self._found.get(key)
        return found.at if found else float("-inf")

    def _ttl(self, key: TaskKey, past: Past) -> float:
        before = self._found.get(key)
        if past.durations:
            return CACHE_TTL_SECONDS
        return min(CACHE_TTL_SECONDS, 2 * before.ttl) if before else UNKNOWN_TTL_SECONDS

    def _enter(self, key: TaskKey, found: LookUp) -> None:
        # Inserted anew, so that the dictionary is in the order of look-ups.
        self._found.pop(key, None)
        self._found[key] = found


def read_past(reader: Reader, keys: list[TaskKey]) -> Mapping[TaskKey, Past]:
    """One query for the durations of all these tasks, and one for the widths of mapped tasks."""
    query = " UNION ALL ".join([SAMPLE_QUERY] * len(keys))
    durations: dict[int, list[float]] = {}
    mapped_runs: dict[int, str] = {}
    arguments = [part for number, key in enumerate(keys) for part in (number, *key, SCANNED_INSTANCES, SAMPLES)]
    for number, run_id, map_index, duration in reader.query(query, arguments):
        if duration is not None:
            durations.setdefault(int(number), []).append(float(duration))
        if map_index >= 0:
            mapped_runs.setdefault(int(number), run_id)
    widths: dict[int, int] = {}
    if mapped_runs:
        arguments = [part for number, run in mapped_runs.items() for part in (number, *keys[number], run)]
        rows = reader.query(" UNION ALL ".join([WIDTH_QUERY] * len(mapped_runs)), arguments)
        widths = {int(number): int(width) for number, width in rows}
    return {key: Past(tuple(durations.get(i, ())), widths.get(i, 1)) for i, key in enumerate(keys)}
