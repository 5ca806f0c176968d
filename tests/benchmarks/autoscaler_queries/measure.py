# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the autoscaler's own reads on a filled database and times every query that they send."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sm2a_autoscaler.look_ahead import history, progress, structure_cache
from sm2a_autoscaler.look_ahead import reader as forecast_reader
from sm2a_autoscaler.metadata import database as queries
from sm2a_autoscaler.metadata.credentials import DatabaseSecret
from sm2a_autoscaler.metadata.database import MetadataDatabase

TICKS = 25
NAMES = {
    queries.COUNTS_QUERY: "counts",
    queries.BUSY_QUERY: "busy workers",
    queries.HEARTBEATS_QUERY: "heartbeats",
    progress.RUNNING_QUERY: "running tasks",
    progress.TASK_STATES_QUERY: "tasks of running runs",
    progress.STARTING_QUERY: "runs that start",
    progress.ARRIVALS_QUERY: "unannounced runs",
    structure_cache.HASHES_QUERY: "hashes of DAGs",
    structure_cache.DATA_QUERY: "serialized DAGs",
    history.SAMPLE_QUERY: "history of 100 tasks",
    history.WIDTH_QUERY: "width of mapped tasks",
}


class Secret:
    """Stands for Secrets Manager."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 (the name in boto3)
        """The URI."""
        return {"SecretString": self._uri}


@dataclass
class Cost:
    """Milliseconds of each call of one query, rows of the last, and its arguments."""

    query: str
    arguments: Sequence[Any]
    milliseconds: list[float] = field(default_factory=list)
    rows: int = 0

    @property
    def median(self) -> float:
        """Milliseconds with a warm cache."""
        return statistics.median(self.milliseconds)


class Recorder(MetadataDatabase):
    """The autoscaler's session, with a note of every query."""

    def __init__(self, uri: str) -> None:
        super().__init__(DatabaseSecret(Secret(uri), "uri"), "benchmark")
        self.costs: dict[str, Cost] = {}

    def _rows(self, query: str, arguments: tuple[Any, ...] = (), keep: bool = False) -> list[tuple[Any, ...]]:
        started = time.perf_counter()
        rows = super()._rows(query, arguments, keep)
        spent = 1000 * (time.perf_counter() - started)
        if name := name_of(query):
            cost = self.costs.setdefault(name, Cost(query, arguments))
            cost.query, cost.arguments, cost.rows = query, arguments, len(rows)
            cost.milliseconds.append(spent)
        return rows

    def explain(self, cost: Cost) -> str:
        """The plan with which the server answered, as text."""
        rows = self._rows(f"EXPLAIN ANALYZE {cost.query}", tuple(cost.arguments))
        return "\n".join(str(row[0]) for row in rows)


def name_of(query: str) -> str | None:
    """What a query reads; None for those that set an option of the session."""
    for text, name in NAMES.items():
        # Up to the first place that is filled in.
        if text.split("{")[0].strip() in query:
            return name
    return None


def measure(uri: str) -> tuple[Recorder, float]:
    """Some ticks; the session with its notes, and milliseconds of Python's own work in a tick."""
    recorder = Recorder(uri)
    reader = forecast_reader.ForecastReader(recorder, "default", time.monotonic)
    own: list[float] = []
    for _ in range(TICKS):
        recorder.counts()
        recorder.busy_addresses()
        recorder.heartbeat_ages()
        before = _total(recorder)
        started = time.perf_counter()
        forecast = reader.read()
        own.append(1000 * (time.perf_counter() - started) - (_total(recorder) - before))
        if forecast.problem:
            raise RuntimeError(forecast.problem)
    return recorder, statistics.median(own)


def _total(recorder: Recorder) -> float:
    return sum(sum(cost.milliseconds) for cost in recorder.costs.values())
