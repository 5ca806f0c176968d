# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The health of load balancer targets, as the probes last saw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

INITIAL, HEALTHY, UNHEALTHY = "initial", "healthy", "unhealthy"

TargetKey = tuple[str, str, int]
Target = dict[str, Any]


@dataclass
class TargetState:
    """One target of one group. `due` is when it is probed next, `judged` when a failure last counted (monotonic)."""

    status: str = INITIAL
    successes: int = 0
    failures: int = 0
    due: float = 0.0
    judged: float = 0.0
    probing: bool = field(default=False, compare=False)


_states: dict[TargetKey, TargetState] = {}


def key(group: dict[str, Any], target: Target) -> TargetKey:
    """What identifies a target: group ARN, address, port."""
    return group["TargetGroupArn"], str(target["Id"]), int(target.get("Port") or group["Port"])


def state(group: dict[str, Any], target: Target) -> TargetState:
    """Its state; a target that was never seen is initial."""
    return _states.setdefault(key(group, target), TargetState())


def forget_all_but(wanted: set[TargetKey]) -> None:
    """Drop targets that are no longer registered: one that comes back starts anew."""
    for gone in set(_states) - wanted:
        _states.pop(gone, None)


def routable(group: dict[str, Any], targets: list[Target]) -> list[Target]:
    """Where requests go: to healthy targets, to all unhealthy ones when none is healthy (an ALB fails open)."""
    by_status: dict[str, list[Target]] = {INITIAL: [], HEALTHY: [], UNHEALTHY: []}
    for target in targets:
        by_status[state(group, target).status].append(target)
    return by_status[HEALTHY] or by_status[UNHEALTHY]
