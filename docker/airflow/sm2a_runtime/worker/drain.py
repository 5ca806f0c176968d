# Copyright: SM2A contributors
# Apache License 2.0
"""A worker that drains takes no further tasks, finishes those that it has and gives its protection back.

The autoscaler asks for it through the one thing that both may set: the protection of this very task. What the worker
sets itself lasts twelve hours; the autoscaler protects a worker that shall drain for two days. So the sign takes
protection from nobody, outlives a restart of the autoscaler, and an image that does not know it only stays protected
longer.
Times are seconds of a monotonic clock.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from sm2a_runtime.worker.protection import ProtectionError, Protector

log = logging.getLogger(__name__)

SIGN_SECONDS = 24 * 3600.0  # a protection that lasts longer than this is the sign
LOOK_SECONDS = 20.0  # between two looks at the protection
# Before the protection goes, the consumer has surely let go of its queues.
SETTLE_SECONDS = 3.0
# So long a worker that has drained waits to be stopped before it takes tasks again. The autoscaler needs a few ticks.
STAY_SECONDS = 60.0
# A long poll that was under way when the intake ended has ended too, so that no two of them run after it is resumed.
PAUSE_SECONDS = 30.0


class Watched(Protocol):
    """Whoever knows the protection of this task."""

    def protected_seconds(self) -> float:
        """How long it lasts, 0 without any; or raise ProtectionError."""


class Drainer:
    """Looks for the sign. Between a sign and its end it keeps the protector from renewing, which would wipe it out."""

    def __init__(self, agent: Watched, protector: Protector, clock: Callable[[], float]) -> None:
        self._agent = agent
        self._protector = protector
        self._clock = clock
        self._told_at: float | None = None
        self._resume_at = float("-inf")
        self._look_at = float("-inf")

    @property
    def takes_tasks(self) -> bool:
        """False from the sign on, until it is taken back or nobody stopped the worker that has drained."""
        return self._told_at is None and self._clock() >= self._resume_at

    def update(self, held: int) -> None:
        """Act on the number of messages held now. Failures of the agent are logged and tried again later."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._look(held, now)
        if self._told_at is None:
            self._protector.update(held)
        elif not held and now - self._told_at >= SETTLE_SECONDS and self._protector.release():
            log.info("Drain: done, waiting to be stopped")
            self._told_at, self._resume_at = None, now + STAY_SECONDS

    def _look(self, held: int, now: float) -> None:
        try:
            left = self._agent.protected_seconds()
        except ProtectionError as error:
            log.warning("Drain: the protection cannot be read: %s", error)
            return
        if left > SIGN_SECONDS:
            if self._told_at is None:
                log.info("Drain: begins (messages held: %d)", held)
                self._told_at = now
            return
        if self._told_at is not None:
            log.info("Drain: taken back")
            self._resume_at = max(now, self._told_at + PAUSE_SECONDS)
            self._told_at = None
        self._protector.found(left > 0)
