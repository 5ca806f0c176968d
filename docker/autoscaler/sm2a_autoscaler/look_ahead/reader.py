# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the forecast of one tick: bounded queries on the metadata database, with caches that last between ticks.

Any failure here, even a programming error, is harmless: the exact counts were read before, and the decision then uses
these alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sm2a_autoscaler.look_ahead.forecast import keys_of_interest, look_ahead
from sm2a_autoscaler.look_ahead.history import History
from sm2a_autoscaler.look_ahead.model import Forecast, Progress, QueueOutlook
from sm2a_autoscaler.look_ahead.progress import read_progress
from sm2a_autoscaler.look_ahead.structure_cache import StructureCache
from sm2a_autoscaler.metadata.database import DatabaseError, MetadataDatabase

HORIZON_SECONDS = 300  # no worker has to be started earlier than this
STATEMENT_SECONDS = 2.0
TOTAL_SECONDS = 4.0  # after this time no further query is sent
BACKOFF_SECONDS = 60.0  # after a failure, to spare a database in trouble

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Budget:
    """Passes queries to the database until the time budget of the tick is used up."""

    database: MetadataDatabase
    monotonic: Callable[[], float]
    until: float

    def query(self, query: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows; raises DatabaseError, also when the time budget is used up."""
        if self.monotonic() >= self.until:
            raise DatabaseError(f"the queries together took longer than {TOTAL_SECONDS:g} s")
        return self.database.query(query, arguments)


@dataclass
class Backoff:
    """A pause after a failure in which no queries are sent."""

    reason: str = ""
    until: float = float("-inf")

    def begin(self, reason: str, now: float) -> None:
        """Start the pause."""
        self.reason, self.until = reason, now + BACKOFF_SECONDS

    def left(self, now: float) -> str | None:
        """The remaining time and the reason, None once the pause is over."""
        return f"for another {self.until - now:.0f} s, after: {self.reason}" if now < self.until else None


@dataclass
class ForecastReader:
    """Reads the outlook for all queues. ``default_queue`` is the queue of tasks that name none."""

    database: MetadataDatabase
    default_queue: str
    monotonic: Callable[[], float]
    _structures: StructureCache = field(default_factory=StructureCache, init=False)
    _history: History = field(default_factory=History, init=False)
    _means: dict[str, float] = field(default_factory=dict, init=False)
    _backoff: Backoff = field(default_factory=Backoff, init=False)
    _learning_backoff: Backoff = field(default_factory=Backoff, init=False)

    def read(self) -> Forecast:
        """The present outlook. Errors of the database and programming errors become its ``problem``; none is raised."""
        started = self.monotonic()
        if left := self._backoff.left(started):
            return Forecast(problem=f"no look-ahead {left}")
        try:
            return self._read(Budget(self.database, self.monotonic, started + TOTAL_SECONDS), started)
        except DatabaseError as error:
            reason = str(error)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            if reason != self._backoff.reason:
                LOG.exception("unexpected error in the look-ahead")
        self._backoff.begin(reason, self.monotonic())
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
        """Look up new DAGs and tasks. After a failure the outlook lacks only these."""
        if left := self._learning_backoff.left(now):
            return [f"new DAGs and durations are not read {left}"]
        versions = progress.versions()
        try:
            self._structures.refresh(reader, versions, now)
            self._history.refresh(reader, keys_of_interest(progress, self._structures.known(versions)), now)
        except DatabaseError as error:
            self._learning_backoff.begin(str(error), self.monotonic())
            return [f"new DAGs and durations could not be read: {error}"]
        return []

    def _with_means(self, queues: Mapping[str, QueueOutlook]) -> Mapping[str, QueueOutlook]:
        """The outlook in which queues without tasks at the moment keep their last known mean duration."""
        self._means |= {
            queue: item.mean_task_seconds for queue, item in queues.items() if item.mean_task_seconds is not None
        }
        known = {**dict.fromkeys(self._means, QueueOutlook()), **queues}
        return {queue: replace(item, mean_task_seconds=self._means.get(queue)) for queue, item in known.items()}
