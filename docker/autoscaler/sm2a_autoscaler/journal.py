# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The log: JSON lines on one stream, one event per tick with its reasons, and the metrics.

Metrics are lines in CloudWatch's embedded metric format: the awslogs driver delivers them, and CloudWatch extracts them
into the namespace ``SM2A/Autoscaler`` without a call of its metric API.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

NAMESPACE = "SM2A/Autoscaler"


class Journal:
    """Writes events. ``wall`` gives seconds since the epoch."""

    def __init__(self, cluster: str, stream: TextIO, wall: Callable[[], float]) -> None:
        self._cluster = cluster
        self._stream = stream
        self._wall = wall

    def event(self, name: str, level: str = "info", **fields: Any) -> None:
        """One line ``{"time", "level", "event", ...fields}``."""
        time = datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._write({"time": time, "level": level, "event": name, **fields})

    def metrics(self, values: Mapping[str, tuple[float, str]], **dimensions: str) -> None:
        """One embedded metric line; ``values`` maps metric names to value and CloudWatch unit."""
        dimensions = {"Environment": self._cluster, **dimensions}
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
        }
        self._write(
            {
                "_aws": {"Timestamp": round(self._wall() * 1000), "CloudWatchMetrics": [directive]},
                **dimensions,
                **{name: value for name, (value, _) in values.items()},
            }
        )

    def _write(self, record: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(record, separators=(",", ":"), default=str) + "\n")
        self._stream.flush()


class LibraryLogs(logging.Handler):
    """Writes warnings of libraries as JSON lines too, with the traceback if there is one."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Write one library message."""
        fields = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[0]:
            fields["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        self._journal.event("library", level=record.levelname.lower(), **fields)


def open_journal(cluster: str, wall: Callable[[], float], stream: TextIO = sys.stdout) -> Journal:
    """The journal of the process, which also receives the warnings of libraries."""
    journal = Journal(cluster, stream, wall)
    logging.basicConfig(handlers=[LibraryLogs(journal)], level=logging.WARNING, force=True)
    return journal
