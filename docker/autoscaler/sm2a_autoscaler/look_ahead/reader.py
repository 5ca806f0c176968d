# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The look-ahead of one tick: bounded reads of the metadata database, with what earlier ticks learned kept in memory.

It may fail at any point without harm, be it by a defect: the exact counts were read before, and the decision is then
made without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sm2a_autoscaler.look_ahead.forecast import QueueOutlook, keys_of_interest, look_ahead
from sm2a_autoscaler.look_ahead.history import History
from sm2a_autoscaler.look_ahead.progress import Progress, read_progress
from sm2a_autoscaler.look_ahead.structure_cache import Structures
from sm2a_autoscaler.metadata.database import DatabaseError, MetadataDatabase

HORIZON_SECONDS = 300  # further ahead no worker has to be started
STATEMENT_SECONDS = 2.0
TOTAL_SECONDS = 4.0  # no further query is sent after this time
PAUSE_SECONDS = 60.0  # after a failure: a database in trouble is left alone

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Forecast:
    """The outlook by queue, None when there is none and ``problem`` says why. ``remarks`` tell of what it lacks."""

    queues: Mapping[str, QueueOutlook] | None = None
    problem: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Budget:
    """Passes queries on until the time is up."""

    database: MetadataDatabase
    monotonic: Callable[[], float]
    until: float

    def look(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows; raises DatabaseError, also when there is no time left for the query."""
        if self.monotonic() >= self.until:
            raise DatabaseError(f"its queries together took longer than {TOTAL_SECONDS:g} s")
        return self.database.look(query, arguments)


@dataclass
class Rest:
    """A time after a failure in which the database is left alone."""

    reason: str = ""
    until: float = float("-inf")

    def begin(self, reason: str, now: float) -> None:
        """Rest from now on."""
        self.reason, self.until = reason, now + PAUSE_SECONDS

    def left(self, now: float) -> str | None:
        """For how long and why, None once it is over."""
        return f"for another {self.until - now:.0f} s, after: {self.reason}" if now < self.until else None


@dataclass
class ForecastReader:
    """Reads the outlook for all queues. ``default_queue`` is that of tasks which name none."""

    database: MetadataDatabase
    default_queue: str
    monotonic: Callable[[], float]
    _structures: Structures = field(default_factory=Structures, init=False)
    _history: History = field(default_factory=History, init=False)
    _means: dict[str, float] = field(default_factory=dict, init=False)
    _rest: Rest = field(default_factory=Rest, init=False)
    _rest_of_learning: Rest = field(default_factory=Rest, init=False)

    def read(self) -> Forecast:
        """The outlook now. What the database refuses, and any defect, is told in its problem, never raised."""
        started = self.monotonic()
        if left := self._rest.left(started):
            return Forecast(problem=f"no look-ahead {left}")
        try:
            return self._read(Budget(self.database, self.monotonic, started + TOTAL_SECONDS), started)
        except DatabaseError as error:
            reason = str(error)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            if reason != self._rest.reason:
                LOG.exception("the look-ahead has a defect")
        self._rest.begin(reason, self.monotonic())
        return Forecast(problem=f"no look-ahead: {reason}")

    def _read(self, reader: Budget, now: float) -> Forecast:
        with self.database.bounded(STATEMENT_SECONDS):
            progress = read_progress(reader, self.database.dialect(), HORIZON_SECONDS)
            lacks = self._learn(reader, progress, now)
        versions = progress.versions()
        queues = look_ahead(
            progress,
            self._structures.known(versions),
            self._history,
            default_queue=self.default_queue,
            horizon_seconds=HORIZON_SECONDS,
        )
        return Forecast(self._with_means(queues), remarks=(*lacks, *self._structures.problems(versions)))

    def _learn(self, reader: Budget, progress: Progress, now: float) -> list[str]:
        """Look up DAGs and tasks that are new. A failure costs the outlook no more than what it would have told."""
        if left := self._rest_of_learning.left(now):
            return [f"no new DAGs and durations {left}"]
        versions = progress.versions()
        try:
            self._structures.refresh(reader, versions, now)
            self._history.refresh(reader, keys_of_interest(progress, self._structures.known(versions)), now)
        except DatabaseError as error:
            self._rest_of_learning.begin(str(error), self.monotonic())
            return [f"no new DAGs and durations: {error}"]
        return []

    def _with_means(self, queues: Mapping[str, QueueOutlook]) -> Mapping[str, QueueOutlook]:
        """The outlook in which a queue that has no tasks at the moment keeps the mean duration that it had."""
        self._means |= {
            queue: item.mean_task_seconds for queue, item in queues.items() if item.mean_task_seconds is not None
        }
        known = {**dict.fromkeys(self._means, QueueOutlook()), **queues}
        return {queue: replace(item, mean_task_seconds=self._means.get(queue)) for queue, item in known.items()}
