# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Draining: the worker takes no new tasks, finishes those that it has and releases its scale-in protection.

The autoscaler requests it with a drain marker: the length of this ECS task's scale-in protection, which both can set.
The worker protects itself for twelve hours, the autoscaler marks it by protecting it for 48 hours. The marker therefore
never removes protection, and it survives a restart of the autoscaler. An image that does not know the marker is only
protected for longer.
Times are seconds of a monotonic clock.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from sm2a_runtime.worker.protection import ProtectionError, Protector

log = logging.getLogger(__name__)

DRAIN_MARKER_SECONDS = 24 * 3600.0  # protection that lasts longer than this is a drain marker
POLL_INTERVAL_SECONDS = 20.0  # between two reads of the protection
# Time for the consumer to cancel its queues before the protection is released.
SETTLE_SECONDS = 3.0
# A drained worker that is not stopped takes tasks again after this time. The autoscaler needs a few ticks to stop it.
STAY_SECONDS = 60.0
# Minimum time without tasks. A long poll that was in progress has ended by then, so that no two of them overlap.
PAUSE_SECONDS = 30.0


class Watched(Protocol):
    """Anything that can read the protection of this ECS task."""

    def protected_seconds(self) -> float:
        """Seconds until it expires, 0 without protection; raises ProtectionError."""


class Drainer:
    """Polls for the drain marker. While it is set the protector must not renew, which would clear the marker."""

    def __init__(self, agent: Watched, protector: Protector, clock: Callable[[], float]) -> None:
        self._agent = agent
        self._protector = protector
        self._clock = clock
        self._draining_since: float | None = None
        self._resume_at = float("-inf")
        self._poll_at = float("-inf")

    @property
    def takes_tasks(self) -> bool:
        """False while the worker drains, and until a drained worker has waited long enough for its stop."""
        return self._draining_since is None and self._clock() >= self._resume_at

    def update(self, held: int) -> None:
        """Act on the number of messages held now. Errors of the agent are logged, and the call is retried later."""
        now = self._clock()
        if now >= self._poll_at:
            self._poll_at = now + POLL_INTERVAL_SECONDS
            self._poll(held, now)
        if self._draining_since is None:
            self._protector.update(held)
        elif not held and now - self._draining_since >= SETTLE_SECONDS and self._protector.release():
            log.info("Drain: finished, waiting to be stopped")
            self._draining_since, self._resume_at = None, now + STAY_SECONDS

    def _poll(self, held: int, now: float) -> None:
        try:
            left = self._agent.protected_seconds()
        except ProtectionError as error:
            log.warning("Drain: cannot read the scale-in protection, will retry: %s", error)
            return
        if left > DRAIN_MARKER_SECONDS:
            if self._draining_since is None:
                log.info("Drain: started (messages held: %d)", held)
                self._draining_since = now
            return
        if self._draining_since is not None:
            log.info("Drain: cancelled by the autoscaler")
            self._resume_at = max(now, self._draining_since + PAUSE_SECONDS)
            self._draining_since = None
        self._protector.found(left > 0)
