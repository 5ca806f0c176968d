# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""How long a worker takes from its order to its first task, learned by watching workers start."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence

from sm2a_autoscaler.fleet.ecs_tasks import Worker

SAMPLES = 20  # of a service that count
SHARE = 0.9
# Something else than a start is wrong with a worker that takes longer.
LONGEST_SECONDS = 900.0


class StartUps:
    """Start-up times by service. Of a worker that was first seen when it was ready nobody knows since when."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[float]] = {}
        self._starting: dict[str, set[str]] = {}

    def watching(self, service: str) -> bool:
        """True while workers of the service are seen starting, which are worth another look."""
        return bool(self._starting.get(service))

    def observe(self, service: str, workers: Sequence[Worker], busy: Collection[str], wall: float) -> None:
        """Look at all workers of a service; ``busy`` are the addresses of those that run tasks, ``wall`` is the time.

        Ready is who runs a task or is healthy, whichever is seen first: health is checked every 30 s only.
        """
        starting = self._starting.setdefault(service, set())
        now_starting = set()
        for worker in workers:
            if not worker.healthy and worker.address not in busy:
                now_starting.add(worker.arn)
            elif worker.arn in starting and 0 < wall - worker.created_at <= LONGEST_SECONDS:
                self._samples.setdefault(service, deque(maxlen=SAMPLES)).append(wall - worker.created_at)
        self._starting[service] = {
            worker.arn
            for worker in workers
            if worker.arn in now_starting and wall - worker.created_at <= LONGEST_SECONDS
        }

    def percentile(self, service: str) -> float | None:
        """The 90th percentile in seconds, None while no start was seen."""
        samples = sorted(self._samples.get(service, ()))
        return samples[math.ceil(SHARE * len(samples)) - 1] if samples else None
