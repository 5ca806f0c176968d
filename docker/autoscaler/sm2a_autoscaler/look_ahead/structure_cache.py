# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Cache of the structures of the DAG versions in use, read from ``serialized_dag`` when they are new."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sm2a_autoscaler.look_ahead.batch_size import Batch
from sm2a_autoscaler.look_ahead.structures import DagStructure, StructureError, decode, parse
from sm2a_autoscaler.metadata.database import DatabaseError, Reader
from sm2a_autoscaler.metadata.dialect import placeholders

DAGS_PER_TICK = 25  # serialized DAGs parsed in one tick; a large one takes about 10 ms
CACHE_SIZE_TASKS = 200_000  # about 100 MB
VERSIONS_PER_QUERY = 1_000
RETRY_SECONDS = 3600.0  # after a serialized DAG could not be read even on its own

# Both use the unique index on dag_version_id.
HASHES_QUERY = "SELECT dag_version_id, dag_hash FROM serialized_dag WHERE dag_version_id IN ({})"
DATA_QUERY = """
SELECT dag_version_id, dag_id, dag_hash, data, data_compressed
FROM serialized_dag
WHERE dag_version_id IN ({})
"""


@dataclass(frozen=True)
class Entry:
    """A cache entry: the structure of one version, or the problem with it. It is read again from ``due_at`` on."""

    dag_hash: str
    structure: DagStructure | None = None
    problem: str | None = None
    due_at: float = math.inf

    @property
    def size(self) -> int:
        """The share of the cache size that it uses: its tasks, and one for the entry."""
        return 1 + len(self.structure.tasks if self.structure else ())


class StructureCache:
    """DAG structures by version, parsed once for each hash. An unreadable one is not retried before it changes.

    The least recently used entries are evicted first. Entries in use are never evicted: if they fill the cache, no
    further DAG is read.
    """

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}  # least recently used first
        self._size = 0
        self._batch = Batch(DAGS_PER_TICK)

    def known(self, versions: Iterable[str]) -> dict[str, DagStructure]:
        """The structures of those versions that were read so far."""
        entries = {version: self._entries[version] for version in versions if version in self._entries}
        return {version: entry.structure for version, entry in entries.items() if entry.structure is not None}

    def problems(self, versions: Iterable[str]) -> list[str]:
        """An error message for each of these versions that could not be read."""
        entries = (self._entries[version] for version in sorted(versions) if version in self._entries)
        return [entry.problem for entry in entries if entry.problem is not None]

    def refresh(self, reader: Reader, versions: Iterable[str], now: float) -> None:
        """Read some of the new or changed versions; ``now`` is monotonic seconds. Raises DatabaseError."""
        wanted = sorted(versions, reverse=True)[:VERSIONS_PER_QUERY]
        if not wanted:
            return
        rows = reader.query(HASHES_QUERY.format(placeholders(len(wanted))), wanted)
        hashes = {str(version): str(dag_hash) for version, dag_hash in rows}
        self._evict(hashes)
        due = [version for version, dag_hash in hashes.items() if self._due(version, dag_hash, now)]
        if due and self._size < CACHE_SIZE_TASKS:
            self._read(reader, due[: self._batch.size], hashes, now)

    def _due(self, version: str, dag_hash: str, now: float) -> bool:
        entry = self._entries.get(version)
        return entry is None or entry.dag_hash != dag_hash or now >= entry.due_at

    def _read(self, reader: Reader, versions: list[str], hashes: Mapping[str, str], now: float) -> None:
        try:
            rows = reader.query(DATA_QUERY.format(placeholders(len(versions))), versions)
        except DatabaseError as error:
            self._batch.failed(len(versions))
            if len(versions) == 1:
                problem = f"the serialized DAG of version {versions[0]} could not be read: {error}"
                self._enter(versions[0], Entry(hashes[versions[0]], problem=problem, due_at=now + RETRY_SECONDS))
            raise
        self._batch.succeeded()
        for version, dag_id, dag_hash, data, compressed in rows:
            self._enter(str(version), _entry(dag_id, str(dag_hash), data, compressed))

    def _evict(self, wanted: Collection[str]) -> None:
        for version in wanted:
            if version in self._entries:
                self._entries[version] = self._entries.pop(version)
        while self._size >= CACHE_SIZE_TASKS and (oldest := next(iter(self._entries))) not in wanted:
            self._remove(oldest)

    def _enter(self, version: str, entry: Entry) -> None:
        self._remove(version)
        self._entries[version] = entry
        self._size += entry.size

    def _remove(self, version: str) -> None:
        if entry := self._entries.pop(version, None):
            self._size -= entry.size


def _entry(dag_id: str, dag_hash: str, data: Any, compressed: Any) -> Entry:
    try:
        return Entry(dag_hash, parse(decode(data, compressed)))
    except StructureError as error:
        return Entry(dag_hash, problem=f"the serialized DAG {dag_id} {error}")
