# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Sets desired counts. Busy workers hold ECS task scale-in protection themselves: ECS stops only idle ones.

A desired count below the number of protected workers would not stop more of them, but ECS then refuses to protect any
further one, and might stop it with a task that it has just taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError

from sm2a_autoscaler.decision.model import Action, Decision
from sm2a_autoscaler.fleet.aws import AWS_ERRORS, throttled
from sm2a_autoscaler.fleet.ecs_tasks import count_protected

FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 120.0


class Result(StrEnum):
    """What became of one decision."""

    UNCHANGED = "unchanged"
    APPLIED = "applied"
    DRY_RUN = "dry_run"
    FAILED = "failed"
    POSTPONED = "postponed"


@dataclass(frozen=True)
class Application:
    """The result for one decision, with the reason when it could not be applied."""

    decision: Decision
    result: Result
    problem: str | None = None


class Actuator:
    """UpdateService where the wanted count differs.

    After throttling or a lost connection it pauses, twice as long each time, up to two minutes.
    """

    def __init__(self, ecs: Any, cluster: str, dry_run: bool = False) -> None:
        self._ecs = ecs
        self._cluster = cluster
        self._dry_run = dry_run
        self._resume_at = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS

    def apply(self, decisions: Sequence[Decision], now: float) -> tuple[Application, ...]:
        """Apply each decision on its own; one that fails does not keep the others from theirs."""
        return tuple(self._apply(decision, now) for decision in decisions)

    def _apply(self, decision: Decision, now: float) -> Application:
        if decision.desired == decision.current:
            return Application(decision, Result.UNCHANGED)
        if now < self._resume_at:
            wait = self._resume_at - now
            return Application(
                decision, Result.POSTPONED, f"after a refused or lost call: next attempt in {wait:.0f} s"
            )
        try:
            decision = self._sparing(decision)
            result = self._set(decision)
        except AWS_ERRORS as error:
            if throttled(error) or isinstance(error, BotoCoreError):
                self._resume_at = now + self._pause_seconds
                self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
            return Application(decision, Result.FAILED, f"{decision.service} could not be resized: {error}")
        self._pause_seconds = FIRST_PAUSE_SECONDS
        return Application(decision, result)

    def _sparing(self, decision: Decision) -> Decision:
        """The decision, or the smallest size that no protected worker is too many for."""
        if decision.action is not Action.SCALE_IN or decision.desired is None or decision.current is None:
            return decision
        protected = count_protected(self._ecs, self._cluster, decision.service)
        if protected <= decision.desired:
            return decision
        size = min(protected, decision.current)
        action = Action.SCALE_IN if size < decision.current else Action.KEEP
        return replace(
            decision,
            action=action,
            desired=size,
            reasons=(*decision.reasons, f"{protected} workers hold scale-in protection: {size} are kept"),
        )

    def _set(self, decision: Decision) -> Result:
        if decision.desired == decision.current:
            return Result.UNCHANGED
        if self._dry_run:
            return Result.DRY_RUN
        self._ecs.update_service(cluster=self._cluster, service=decision.service, desiredCount=decision.desired)
        return Result.APPLIED
