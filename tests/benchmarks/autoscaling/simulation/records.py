# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the database, and so a policy, can know of the simulation's past and near future."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter, deque
from collections.abc import Sequence

from sm2a_autoscaler.look_ahead.history import CACHE_TTL_SECONDS, SAMPLES
from sm2a_autoscaler.look_ahead.model import Past

from .model import Run

RATE_WINDOW_SECONDS = 300.0
START_UPS = 20
UNKNOWN = Past(())


class Durations:
    """What the autoscaler knows of the durations of tasks, by kind; ``error`` multiplies whatever is told.

    As in its ``History``, what was looked up once is not looked up again for some minutes.
    """

    def __init__(self, error: float = 1.0) -> None:
        self._error = error
        self._past: dict[str, Past] = {}
        self._looked_up: dict[str, tuple[float, Past]] = {}
        self._mean: float | None = None

    def add(self, kind: str, seconds: float) -> None:
        """A task of this kind ended."""
        known = self._past.get(kind, UNKNOWN).durations[: SAMPLES - 1]
        self._past[kind] = Past((seconds * self._error, *known))

    def remaining(self, kind: str, elapsed: float, now: float) -> float | None:
        """Expected seconds until a task that runs for ``elapsed`` ends, None where history cannot tell."""
        return self._of(kind, now).remaining(elapsed)

    def of(self, kind: str, now: float) -> float | None:
        """Expected seconds of a task, None for a kind of which nothing is known."""
        return self._of(kind, now).mean

    def mean(self, kinds: Counter[str], now: float) -> float | None:
        """Of so many tasks of each kind, as far as known; the last such mean while none is."""
        known = [(seconds, count) for kind, count in kinds.items() if (seconds := self.of(kind, now)) is not None]
        tasks = sum(count for _, count in known)
        if tasks:
            self._mean = sum(seconds * count for seconds, count in known) / tasks
        return self._mean

    def _of(self, kind: str, now: float) -> Past:
        at, past = self._looked_up.get(kind, (-CACHE_TTL_SECONDS, UNKNOWN))
        if now - at >= CACHE_TTL_SECONDS:
            past = self._past.get(kind, UNKNOWN)
            self._looked_up[kind] = now, past
        return past


class Schedule:
    """The announced runs that are still to come."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = sorted((run for run in runs if run.announced), key=lambda run: run.at)
        self._times = [run.at for run in self._runs]

    def due(self, after: float, until: float) -> Sequence[Run]:
        """Those due in that time; one due at ``after`` is queued already."""
        return self._runs[bisect_right(self._times, after) : bisect_right(self._times, until)]


class Arrivals:
    """Tasks that came without announcement, over the last minutes."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque()
        self._tasks = 0

    def add(self, now: float, tasks: int) -> None:
        """So many were queued now."""
        self._recent.append((now, tasks))
        self._tasks += tasks

    def rate(self, now: float) -> float:
        """Tasks a second."""
        while self._recent and self._recent[0][0] <= now - RATE_WINDOW_SECONDS:
            self._tasks -= self._recent.popleft()[1]
        return self._tasks / min(RATE_WINDOW_SECONDS, max(now, 60.0))


class StartUps:
    """The latest start-up times."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=START_UPS)

    def add(self, seconds: float) -> None:
        """A worker became ready so long after its launch."""
        self._recent.append(seconds)

    def percentile(self) -> float | None:
        """The 90th, None before the first."""
        ordered: list[float] = []
        for seconds in self._recent:
            insort(ordered, seconds)
        return ordered[int(0.9 * (len(ordered) - 1) + 0.5)] if ordered else None
