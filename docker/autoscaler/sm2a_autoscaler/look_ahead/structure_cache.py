# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The structures of the DAG versions in use: read from ``serialized_dag`` when they are new, kept in memory."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sm2a_autoscaler.look_ahead.batch_size import Batch
from sm2a_autoscaler.look_ahead.history import Reader
from sm2a_autoscaler.look_ahead.structures import DagStructure, StructureError, decode, parse
from sm2a_autoscaler.metadata.database import DatabaseError
from sm2a_autoscaler.metadata.dialect import placeholders

PARSED_AT_ONCE = 25  # serialized DAGs read in one tick; a large one takes some 10 ms
REMEMBERED_TASKS = 200_000  # some 100 MB
VERSIONS_AT_ONCE = 1_000
RETRY_SECONDS = 3600.0  # before a DAG is read again that the database did not deliver even alone

# Both through the unique index on dag_version_id.
HASHES_QUERY = "SELECT dag_version_id, dag_hash FROM serialized_dag WHERE dag_version_id IN ({})"
DATA_QUERY = """
SELECT dag_version_id, dag_id, dag_hash, data, data_compressed
FROM serialized_dag
WHERE dag_version_id IN ({})
"""


@dataclass(frozen=True)
class Entry:
    """What is known of one version: its structure, or the problem with it. From ``due_at`` on it is read again."""

    dag_hash: str
    structure: DagStructure | None = None
    problem: str | None = None
    due_at: float = math.inf

    @property
    def size(self) -> int:
        """Its share of the memory: its tasks, and one for itself."""
        return 1 + len(self.structure.tasks if self.structure else ())


class Structures:
    """DAG structures by version, parsed once for each hash. An unreadable one is not tried again before it changes.

    What has not been wanted for the longest is forgotten first. What is wanted now is kept; once that alone fills the
    memory, nothing further is read.
    """

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}  # in the order in which they were wanted
        self._size = 0
        self._batch = Batch(PARSED_AT_ONCE)

    def known(self, versions: Iterable[str]) -> dict[str, DagStructure]:
        """Those of these versions that could be read so far."""
        entries = {version: self._entries[version] for version in versions if version in self._entries}
        return {version: entry.structure for version, entry in entries.items() if entry.structure is not None}

    def problems(self, versions: Iterable[str]) -> list[str]:
        """A sentence for each of these versions that could not be read."""
        entries = (self._entries[version] for version in sorted(versions) if version in self._entries)
        return [entry.problem for entry in entries if entry.problem is not None]

    def refresh(self, reader: Reader, versions: Iterable[str], now: float) -> None:
        """Read some of those that are new or have changed; ``now`` is monotonic seconds. Raises DatabaseError."""
        wanted = sorted(versions, reverse=True)[:VERSIONS_AT_ONCE]
        if not wanted:
            return
        rows = reader.look(HASHES_QUERY.format(placeholders(len(wanted))), wanted)
        hashes = {str(version): str(dag_hash) for version, dag_hash in rows}
        self._make_room(hashes)
        due = [version for version, dag_hash in hashes.items() if self._due(version, dag_hash, now)]
        if due and self._size < REMEMBERED_TASKS:
            self._read(reader, due[: self._batch.size], hashes, now)

    def _due(self, version: str, dag_hash: str, now: float) -> bool:
        entry = self._entries.get(version)
        return entry is None or entry.dag_hash != dag_hash or now >= entry.due_at

    def _read(self, reader: Reader, versions: list[str], hashes: Mapping[str, str], now: float) -> None:
        try:
            rows = reader.look(DATA_QUERY.format(placeholders(len(versions))), versions)
        except DatabaseError as error:
            self._batch.failed(len(versions))
            if len(versions) == 1:
                problem = f"the serialized DAG of version {versions[0]} could not be read: {error}"
                self._enter(versions[0], Entry(hashes[versions[0]], problem=problem, due_at=now + RETRY_SECONDS))
            raise
        self._batch.succeeded()
        for version, dag_id, dag_hash, data, compressed in rows:
            self._enter(str(version), _entry(dag_id, str(dag_hash), data, compressed))

    def _make_room(self, wanted: Collection[str]) -> None:
        for version in wanted:
            if version in self._entries:
                self._entries[version] = self._entries.pop(version)
        while self._size >= REMEMBERED_TASKS and (oldest := next(iter(self._entries))) not in wanted:
            self._forget(oldest)

    def _enter(self, version: str, entry: Entry) -> None:
        self._forget(version)
        self._entries[version] = entry
        self._size += entry.size

    def _forget(self, version: str) -> None:
        if entry := self._entries.pop(version, None):
            self._size -= entry.size


def _entry(dag_id: str, dag_hash: str, data: Any, compressed: Any) -> Entry:
    try:
        return Entry(dag_hash, parse(decode(data, compressed)))
    except StructureError as error:
        return Entry(dag_hash, problem=f"the serialized DAG {dag_id} {error}")
