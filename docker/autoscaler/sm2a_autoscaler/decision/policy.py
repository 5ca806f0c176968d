# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The sizing decision: settings, one observation and a small memory in; decisions with their reasons out.

Nothing here reads a clock, a network or a file. Every worker group is decided on its own:

* ``sizing.py`` computes the need, now and at the time when a worker ordered now would be ready;
* a larger need is met at once, in one step, within the limits that apply at that hour (``limits.py``);
* a smaller need is followed once nothing larger was needed for ``hold_seconds``, and never below the number of busy
  workers (ECS chooses which worker stops, among those without scale-in protection);
* workers with many slots are hardly ever idle, so surplus ones drain: they take no new tasks and stop when empty;
* a failed read, or one older than ``stale_seconds``, holds the size;
* approximate counts (SQS, while the database is unavailable) may make a group larger, never smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sm2a_autoscaler.decision.limits import Limits, limits
from sm2a_autoscaler.decision.model import (
    DRAIN_FROM_CONCURRENCY,
    Action,
    Decision,
    Demand,
    Fleet,
    GroupObservation,
    Observation,
    PolicySettings,
    Source,
    WorkerGroup,
)
from sm2a_autoscaler.decision.sizing import workers_needed


@dataclass(frozen=True)
class Peak:
    """``target`` workers were needed at the time ``at``."""

    at: float
    target: int


@dataclass(frozen=True)
class GroupMemory:
    """The needs of the last ``hold_seconds`` that no later need exceeds, oldest (and therefore largest) first."""

    peaks: tuple[Peak, ...]
    seen_at: float


@dataclass(frozen=True)
class Memory:
    """State that is passed from one decision to the next, by group name."""

    groups: Mapping[str, GroupMemory] = field(default_factory=dict)


def decide(settings: PolicySettings, observation: Observation, memory: Memory) -> tuple[tuple[Decision, ...], Memory]:
    """One decision a group, in the order of the settings, and the memory for the next call."""
    decisions: list[Decision] = []
    remembered: dict[str, GroupMemory] = {}
    for group in settings.groups:
        seen = observation.groups.get(group.name, GroupObservation(None, None, ("the group was not observed",)))
        allowed = limits(group, observation.wall)
        doubts = _doubts(seen, observation.at, settings.stale_seconds)
        known = memory.groups.get(group.name)
        decision, kept = decide_group(group, allowed, replace(seen, problems=doubts), known, observation.at)
        decisions.append(decision)
        if kept is not None:
            remembered[group.name] = kept
    return tuple(decisions), Memory(remembered)


def decide_group(
    group: WorkerGroup, allowed: Limits, seen: GroupObservation, memory: GroupMemory | None, now: float
) -> tuple[Decision, GroupMemory | None]:
    """The decision for one group. Any ``problems`` in ``seen`` hold the size and leave the memory unchanged."""
    demand, fleet = seen.demand, seen.fleet
    if seen.problems or demand is None or fleet is None:
        current = fleet.desired if fleet else None
        return _held(group, current, (*seen.problems, "the size is held")), memory

    need = workers_needed(group, demand, fleet)
    start, keep = allowed.clamp(need.start), allowed.clamp(need.keep)
    reasons = need.reasons + _limiting(allowed, need.start)
    if demand.source is not Source.DATABASE and start <= fleet.desired:
        return _held(
            group, fleet.desired, (*reasons, "approximate counts only ever scale out: the size is held")
        ), memory

    memory = remember(memory, keep, fleet.desired, now, group.hold_seconds)
    if start > fleet.desired:
        return _resized(group, fleet.desired, start, (*reasons, "scaling out at once")), memory
    if start == fleet.desired:
        return _resized(group, fleet.desired, start, reasons), memory
    desired, drain, more_reasons = _smaller(group, demand, fleet, memory, now)
    return _resized(group, fleet.desired, desired, reasons + more_reasons, drain), memory


def remember(memory: GroupMemory | None, target: int, current: int, now: float, hold_seconds: float) -> GroupMemory:
    """The memory with this need added and without needs that are ``hold_seconds`` old or older.

    Without a memory, or after a gap as long as the hold, the recent past is unknown. The current size then counts as
    needed, so that neither a restart nor an outage is followed by a sudden scale-in.
    """
    known = memory is not None and now - memory.seen_at < hold_seconds
    past = memory.peaks if memory is not None and known else (Peak(now, current),)
    kept = tuple(peak for peak in past if now - peak.at < hold_seconds and peak.target > target)
    return GroupMemory((*kept, Peak(now, target)), now)


def _doubts(seen: GroupObservation, now: float, stale_seconds: float) -> tuple[str, ...]:
    """Reasons why this observation must not change the size; empty when it may."""
    doubts = list(seen.problems) if seen.demand is None or seen.fleet is None else []
    for name, part in (("demand", seen.demand), ("service", seen.fleet)):
        if part is None:
            doubts.append(f"the {name} could not be read")
        elif now - part.read_at > stale_seconds:
            doubts.append(f"the {name} was read {now - part.read_at:.0f} s ago, more than {stale_seconds:g} s")
    return tuple(doubts)


def _limiting(allowed: Limits, workers: int) -> tuple[str, ...]:
    """The limit that applies to this number, if any."""
    source = " by schedule" if allowed.by_schedule else ""
    if workers < allowed.minimum:
        return (f"the minimum is {allowed.minimum}{source}",)
    if workers > allowed.maximum:
        return (f"the maximum is {allowed.maximum}{source}",)
    return ()


def _smaller(
    group: WorkerGroup, demand: Demand, fleet: Fleet, memory: GroupMemory, now: float
) -> tuple[int, int, tuple[str, ...]]:
    """The size that the service may shrink to now, how many busy workers drain, and why."""
    reasons: list[str] = []
    peak = memory.peaks[0]
    busy = min(demand.busy_workers, fleet.desired)
    desired = max(min(peak.target, fleet.desired), busy)
    if len(memory.peaks) > 1 and desired > busy:
        reasons.append(f"{peak.target} needed {now - peak.at:.0f} s ago: kept for {group.hold_seconds:g} s")
    if desired == busy and busy > memory.peaks[-1].target:
        reasons.append(f"{busy} workers run tasks and are not stopped")
    if desired < fleet.desired:
        reasons.append(f"nothing larger was needed for {group.hold_seconds:g} s: scaling in")
    drain = max(0, desired - peak.target) if group.concurrency >= DRAIN_FROM_CONCURRENCY else 0
    if drain:
        reasons.append(f"{drain} of them drain: the others have enough slots")
    return desired, drain, tuple(reasons)


def _held(group: WorkerGroup, current: int | None, reasons: tuple[str, ...]) -> Decision:
    return Decision(
        group=group.name,
        service=group.service,
        action=Action.HOLD,
        current=current,
        desired=current,
        reasons=reasons,
        drain=None,
    )


def _resized(group: WorkerGroup, current: int, desired: int, reasons: tuple[str, ...], drain: int = 0) -> Decision:
    """The decision with the action that follows from the two counts."""
    action = Action.KEEP
    if desired != current:
        action = Action.SCALE_OUT if desired > current else Action.SCALE_IN
    return Decision(
        group=group.name,
        service=group.service,
        action=action,
        current=current,
        desired=desired,
        reasons=reasons,
        drain=drain,
    )
