# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Measures how long workers take from their creation in ECS to their first task."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence

from sm2a_autoscaler.fleet.ecs_tasks import Worker

SAMPLES = 20  # latest samples kept per service
PERCENTILE = 0.9
# A worker that takes longer has another problem and gives no sample.
LONGEST_SECONDS = 900.0


class StartUps:
    """Start-up times by service. A worker already ready when first seen gives no sample."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[float]] = {}
        self._starting: dict[str, set[str]] = {}

    def watching(self, service: str) -> bool:
        """True while workers of the service are starting, so that the next tick must read them again."""
        return bool(self._starting.get(service))

    def observe(self, service: str, workers: Sequence[Worker], busy: Collection[str], wall: float) -> None:
        """Record all workers of a service; ``busy`` are the addresses of those that run tasks, ``wall`` is the time.

        A worker is ready when it runs a task or is healthy, whichever is seen first: ECS checks health only every 30 s.
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
        """The 90th percentile in seconds, None before the first sample."""
        samples = sorted(self._samples.get(service, ()))
        return samples[math.ceil(PERCENTILE * len(samples)) - 1] if samples else None
