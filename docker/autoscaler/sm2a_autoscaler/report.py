# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What one tick puts on record: pure functions from what was seen and done to log fields and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sm2a_autoscaler.actuator import Application, Result
from sm2a_autoscaler.policy import Action, Demand, Fleet, GroupObservation
from sm2a_autoscaler.signals import GroupNotes, Signals

Metrics = dict[str, tuple[float, str]]


def group_records(signals: Signals, applications: Sequence[Application]) -> list[dict[str, Any]]:
    """One record a group: the decision, why, what became of it, and everything that was seen."""
    return [
        _record(item, signals.observation.groups[item.decision.group], signals.notes[item.decision.group])
        for item in applications
    ]


def group_metrics(seen: GroupObservation, item: Application) -> Metrics:
    """Metrics of one group; what was not read is left out, so that an alarm sees missing data, not zeros."""
    metrics: Metrics = {"Held": (int(item.decision.action is Action.HOLD), "Count")}
    if seen.demand is not None:
        metrics |= {
            "QueuedTasks": (seen.demand.queued, "Count"),
            "RunningTasks": (seen.demand.running, "Count"),
            "ScheduledTasks": (seen.demand.scheduled, "Count"),
        }
    if seen.fleet is not None and item.decision.desired is not None:
        metrics |= {
            "WantedWorkers": (item.decision.desired, "Count"),
            "DesiredWorkers": (seen.fleet.desired, "Count"),
            "RunningWorkers": (seen.fleet.running, "Count"),
        }
    return metrics


def tick_metrics(seconds: float, active: bool, problems: int) -> Metrics:
    """Metrics of the autoscaler itself."""
    return {
        "TickSeconds": (round(seconds, 3), "Seconds"),
        "Active": (int(active), "Count"),
        "Problems": (problems, "Count"),
    }


def heartbeat_metrics(ages: Mapping[str, float]) -> Metrics:
    """``SchedulerHeartbeatAge`` and the like, from seconds by job type."""
    return {f"{job.removesuffix('Job')}HeartbeatAge": (round(age, 1), "Seconds") for job, age in ages.items()}


def problems(signals: Signals, applications: Sequence[Application]) -> list[str]:
    """Everything that went wrong, each sentence once, in the order in which it was met."""
    found = [text for seen in signals.observation.groups.values() for text in seen.problems]
    found += [
        f"queue {queue} has {count} queued tasks but no worker group" for queue, count in signals.unserved.items()
    ]
    found += [item.problem for item in applications if item.problem]
    return list(dict.fromkeys(found))


def _record(item: Application, seen: GroupObservation, notes: GroupNotes) -> dict[str, Any]:
    decision = item.decision
    return {
        "group": decision.group,
        "service": decision.service,
        "action": decision.action,
        "current": decision.current,
        "desired": decision.desired,
        "result": item.result,
        "reasons": [*decision.reasons, *([item.problem] if item.problem else [])],
        "remarks": list(notes.remarks),
        "tasks": _tasks(seen.demand),
        "workers": _workers(seen.fleet),
        "messages": {"visible": notes.messages.visible, "in_flight": notes.messages.in_flight}
        if notes.messages
        else None,
    }


def _tasks(demand: Demand | None) -> Mapping[str, Any] | None:
    if demand is None:
        return None
    return {
        "scheduled": demand.scheduled,
        "queued": demand.queued,
        "running": demand.running,
        "busy_workers": demand.busy_workers,
        "source": demand.source,
    }


def _workers(fleet: Fleet | None) -> Mapping[str, int] | None:
    return {"desired": fleet.desired, "running": fleet.running, "pending": fleet.pending} if fleet else None


def failed(applications: Sequence[Application]) -> bool:
    """True when a size had to be held or could not be set."""
    return any(
        item.decision.action is Action.HOLD or item.result in (Result.FAILED, Result.POSTPONED) for item in applications
    )
