# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The structures of the DAG versions in use: read from ``serialized_dag`` when they are new, kept in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sm2a_autoscaler.dialect import placeholders
from sm2a_autoscaler.history import Reader
from sm2a_autoscaler.structures import DagStructure, StructureError, decode, parse

PARSED_AT_ONCE = 25  # serialized DAGs read in one tick; a large one takes some 10 ms
REMEMBERED_VERSIONS = 5_000
VERSIONS_AT_ONCE = 1_000

# Both through the unique index on dag_version_id.
HASHES_QUERY = "SELECT dag_version_id, dag_hash FROM serialized_dag WHERE dag_version_id IN ({})"
DATA_QUERY = """
SELECT dag_version_id, dag_id, dag_hash, data, data_compressed
FROM serialized_dag
WHERE dag_version_id IN ({})
"""


class Structures:
    """DAG structures by version, parsed once for each hash. An unreadable one is not tried again before it changes."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, DagStructure | None]] = {}
        self._problems: dict[str, str] = {}

    def read(self, reader: Reader, versions: Iterable[str]) -> tuple[dict[str, DagStructure], list[str]]:
        """Known structures of these versions, and a sentence for each unreadable one. Raises DatabaseError."""
        wanted = sorted(versions, reverse=True)[:VERSIONS_AT_ONCE]
        if not wanted:
            return {}, []
        rows = reader.look(HASHES_QUERY.format(placeholders(len(wanted))), wanted)
        hashes = {str(version): str(dag_hash) for version, dag_hash in rows}
        missing = [version for version, found in hashes.items() if self._known.get(version, ("",))[0] != found]
        if missing := missing[:PARSED_AT_ONCE]:
            for row in reader.look(DATA_QUERY.format(placeholders(len(missing))), missing):
                self._learn(*row)
        for version in list(self._known)[: max(0, len(self._known) - REMEMBERED_VERSIONS)]:
            self._forget(version)
        known = {version: self._known[version][1] for version in hashes if version in self._known}
        problems = [self._problems[version] for version in hashes if version in self._problems]
        return {version: structure for version, structure in known.items() if structure is not None}, problems

    def _learn(self, version: Any, dag_id: str, dag_hash: str, data: Any, compressed: Any) -> None:
        self._forget(str(version))
        try:
            self._known[str(version)] = dag_hash, parse(decode(data, compressed))
        except StructureError as error:
            self._known[str(version)] = dag_hash, None
            self._problems[str(version)] = f"the serialized DAG {dag_id} {error}"

    def _forget(self, version: str) -> None:
        self._known.pop(version, None)
        self._problems.pop(version, None)
