# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Sets desired counts. Busy workers set their own ECS scale-in protection, so ECS stops idle workers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError

from sm2a_autoscaler.decision.limits import keep_protected_workers
from sm2a_autoscaler.decision.model import Action, Decision
from sm2a_autoscaler.fleet.aws import AWS_ERRORS, throttled
from sm2a_autoscaler.fleet.ecs_tasks import count_protected

FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 120.0


class Result(StrEnum):
    """How the application of one decision ended."""

    UNCHANGED = "unchanged"
    APPLIED = "applied"
    DRY_RUN = "dry_run"
    FAILED = "failed"
    POSTPONED = "postponed"


@dataclass(frozen=True)
class Application:
    """The result of one decision, and the problem if it could not be applied."""

    decision: Decision
    result: Result
    problem: str | None = None


class Actuator:
    """Calls UpdateService where the desired count differs.

    After throttling or a lost connection it pauses, twice as long each time, up to two minutes.
    """

    def __init__(self, ecs: Any, cluster: str, dry_run: bool = False) -> None:
        self._ecs = ecs
        self._cluster = cluster
        self._dry_run = dry_run
        self._resume_at = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS

    def apply(self, decisions: Sequence[Decision], now: float) -> tuple[Application, ...]:
        """Apply each decision on its own: a failure does not affect the others."""
        return tuple(self._apply(decision, now) for decision in decisions)

    def _apply(self, decision: Decision, now: float) -> Application:
        if decision.desired == decision.current:
            return Application(decision, Result.UNCHANGED)
        if now < self._resume_at:
            wait = self._resume_at - now
            return Application(
                decision, Result.POSTPONED, f"postponed after a throttled or lost call: next attempt in {wait:.0f} s"
            )
        try:
            if decision.action is Action.SCALE_IN:
                protected = count_protected(self._ecs, self._cluster, decision.service)
                decision = keep_protected_workers(decision, protected)
            result = self._set(decision)
        except AWS_ERRORS as error:
            if throttled(error) or isinstance(error, BotoCoreError):
                self._resume_at = now + self._pause_seconds
                self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
            return Application(decision, Result.FAILED, f"{decision.service} could not be resized: {error}")
        self._pause_seconds = FIRST_PAUSE_SECONDS
        return Application(decision, result)

    def _set(self, decision: Decision) -> Result:
        if decision.desired == decision.current:
            return Result.UNCHANGED
        if self._dry_run:
            return Result.DRY_RUN
        self._ecs.update_service(cluster=self._cluster, service=decision.service, desiredCount=decision.desired)
        return Result.APPLIED
