# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of one tick: pure functions that turn what was read and done into log fields and metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from sm2a_autoscaler.decision.model import Action, Demand, Fleet, GroupNotes, GroupObservation, Signals
from sm2a_autoscaler.fleet.actuator import Application, Result
from sm2a_autoscaler.fleet.maintenance import MaintenanceReport

# Items of a long list that are logged.
LOGGED_ITEMS = 10

Metrics = dict[str, tuple[float, str]]


def group_records(signals: Signals, applications: Sequence[Application]) -> list[dict[str, Any]]:
    """One record per group: the decision, its reasons, its result, and everything that was read."""
    return [
        _record(item, signals.observation.groups[item.decision.group], signals.notes[item.decision.group])
        for item in applications
    ]


def stop_records(maintenance: MaintenanceReport) -> list[dict[str, Any]]:
    """One record per stopped worker."""
    return [dataclasses.asdict(stop) for stop in maintenance.stops]


def group_metrics(seen: GroupObservation, item: Application, maintenance: MaintenanceReport) -> Metrics:
    """Metrics of one group; values that were not read are left out, so that alarms see missing data, not zeros."""
    stopped = sum(stop.group == item.decision.group and not stop.dry_run for stop in maintenance.stops)
    metrics: Metrics = {
        "Held": (int(item.decision.action is Action.HOLD), "Count"),
        "StoppedWorkers": (stopped, "Count"),
    }
    if item.decision.group in maintenance.draining:
        metrics["DrainingWorkers"] = (maintenance.draining[item.decision.group], "Count")
    if seen.demand is not None:
        metrics |= {
            "QueuedTasks": (seen.demand.queued, "Count"),
            "RunningTasks": (seen.demand.running, "Count"),
            "ScheduledTasks": (seen.demand.scheduled, "Count"),
            "UpcomingTasks": (sum(upcoming.tasks for upcoming in seen.demand.upcoming), "Count"),
            "BusyWorkers": (seen.demand.busy_workers, "Count"),
        }
        if seen.demand.mean_task_seconds is not None:
            metrics["MeanTaskSeconds"] = (round(seen.demand.mean_task_seconds, 1), "Seconds")
    if seen.fleet is not None and item.decision.desired is not None:
        metrics |= {
            "WantedWorkers": (item.decision.desired, "Count"),
            "DesiredWorkers": (seen.fleet.desired, "Count"),
            "RunningWorkers": (seen.fleet.running, "Count"),
        }
    if seen.fleet is not None and seen.fleet.start_up_seconds is not None:
        metrics["StartUpSeconds"] = (round(seen.fleet.start_up_seconds, 1), "Seconds")
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


def problems(signals: Signals, applications: Sequence[Application], maintenance: MaintenanceReport) -> list[str]:
    """All problems of the tick, each message once, in the order in which they occurred."""
    found = [text for seen in signals.observation.groups.values() for text in seen.problems]
    found += [
        f"queue {queue} has {count} queued tasks but no worker group" for queue, count in signals.unserved.items()
    ]
    found += [item.problem for item in applications if item.problem]
    found += maintenance.problems
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
        "drain": decision.drain,
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
        "ending": [round(seconds) for seconds in demand.remaining_seconds[:LOGGED_ITEMS]],
        "upcoming": [
            {"in_seconds": round(item.in_seconds), "tasks": item.tasks, "seconds": item.seconds}
            for item in demand.upcoming[:LOGGED_ITEMS]
        ],
        "upcoming_total": sum(item.tasks for item in demand.upcoming),
        "mean_seconds": _rounded(demand.mean_task_seconds),
        "unscheduled_rate": round(demand.unscheduled_rate, 4),
    }


def _workers(fleet: Fleet | None) -> Mapping[str, float | None] | None:
    if fleet is None:
        return None
    return {
        "desired": fleet.desired,
        "running": fleet.running,
        "pending": fleet.pending,
        "start_up_seconds": _rounded(fleet.start_up_seconds),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def failed(applications: Sequence[Application]) -> bool:
    """True when a size had to be held or could not be set."""
    return any(
        item.decision.action is Action.HOLD or item.result in (Result.FAILED, Result.POSTPONED) for item in applications
    )
