# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One worker of the simulation and its bill."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from .model import Cloud

# The worker gives its protection back when it has had no task for so long (sm2a_runtime.worker.protection).
IDLE_GRACE_SECONDS = 10.0
# A worker that need not drain any more takes tasks so long after it was told to, and one that has drained so long after
# its last task (sm2a_runtime.worker.drain).
PAUSE_SECONDS = 30.0
STAY_SECONDS = 60.0


class Phase(Enum):
    """STOPPING: takes no new task and ends with the last one, or when its grace is over."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(eq=False, slots=True)
class Worker:
    """``tasks`` are the keys of those that it runs; ``draining`` ones take no new task but count as wanted."""

    number: int
    launched_at: float
    phase: Phase = Phase.STARTING
    tasks: set[int] = field(default_factory=set)
    draining: bool = False
    told_at: float = 0.0
    resumes_at: float = 0.0
    idle_since: float = 0.0

    def tell(self, draining: bool, now: float) -> None:
        """Let it drain, or let it take tasks again when it can."""
        if draining and not self.draining:
            self.told_at = now
        elif self.draining and not draining:
            self.resumes_at = self.told_at + PAUSE_SECONDS if self.tasks else self.idle_since + STAY_SECONDS
        self.draining = draining

    def takes_tasks(self, slots: int, now: float) -> bool:
        """True while it would receive a message."""
        free = self.phase is Phase.READY and len(self.tasks) < slots
        return free and not self.draining and now >= self.resumes_at

    def protected(self, now: float) -> bool:
        """True while ECS must not stop it. One that drained gives its protection back at once."""
        if self.tasks:
            return True
        return not self.draining and now - self.idle_since < IDLE_GRACE_SECONDS

    def bill(self, cloud: Cloud, end: float) -> float:
        """Seconds to pay for when it stops at ``end``."""
        billed_from = self.launched_at + cloud.unbilled_seconds
        return max(cloud.billed_at_least, end - billed_from) if end > billed_from else 0.0
