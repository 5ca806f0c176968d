# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads everything a decision needs, once per tick. Counts come from the database; SQS is cross-check and fallback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sm2a_autoscaler.decision.model import (
    Demand,
    Fleet,
    GroupNotes,
    GroupObservation,
    MessageCounts,
    Observation,
    Signals,
    Source,
    WorkerGroup,
)
from sm2a_autoscaler.fleet.aws import ServiceCounts, read_queues, read_services
from sm2a_autoscaler.fleet.start_ups import StartUps
from sm2a_autoscaler.look_ahead.model import Forecast, QueueOutlook
from sm2a_autoscaler.metadata.database import TaskCounts, TaskRead

NO_FORECAST = Forecast({})


class SignalReader:
    """Reads ECS and SQS for all groups and combines them with the database's counts. ``wall`` is for schedules."""

    def __init__(
        self,
        cluster: str,
        groups: Sequence[WorkerGroup],
        ecs: Any,
        sqs: Any,
        monotonic: Callable[[], float],
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        start_ups: StartUps | None = None,
    ) -> None:
        self._cluster = cluster
        self._groups = groups
        self._ecs = ecs
        self._sqs = sqs
        self._monotonic = monotonic
        self._wall = wall
        self._start_ups = start_ups or StartUps()

    def read(self, tasks: TaskRead, forecast: Forecast = NO_FORECAST) -> Signals:
        """Observe every group; a part that could not be read is None, and its problem is recorded."""
        queues_read_at = self._monotonic()
        messages = read_queues(self._sqs, [group.queue_url for group in self._groups])
        services_read_at = self._monotonic()
        services = read_services(self._ecs, self._cluster, [group.service for group in self._groups])

        observed: dict[str, GroupObservation] = {}
        notes: dict[str, GroupNotes] = {}
        for group in self._groups:
            count = messages.values.get(group.queue_url)
            demand = _demand(tasks, group.queue, count, queues_read_at, forecast)
            no_forecast = forecast.problem if group.look_ahead else None
            problems = (
                tasks.problem,
                no_forecast,
                messages.problems.get(group.queue_url),
                services.problems.get(group.service),
            )
            start_up = self._start_ups.percentile(group.service)
            fleet = _fleet(services.values.get(group.service), services_read_at, start_up)
            observed[group.name] = GroupObservation(demand, fleet, tuple(filter(None, problems)))
            notes[group.name] = GroupNotes(count, cross_check(demand, count) + forecast.remarks)
        observation = Observation(self._monotonic(), observed, self._wall())
        return Signals(observation, notes, unserved_tasks(tasks, self._groups))


def cross_check(demand: Demand | None, messages: MessageCounts | None) -> tuple[str, ...]:
    """A remark when database and SQS disagree. SQS lags by up to a minute, so only a lasting remark matters.

    Messages without tasks belong to killed workers or cleared tasks; queued tasks without messages were lost and wait
    for Airflow's task_queued_timeout.
    """
    if demand is None or messages is None or demand.source is not Source.DATABASE:
        return ()
    total = messages.visible + messages.in_flight
    if demand.queued and not total:
        return (f"the database has {demand.queued} queued tasks, but SQS has no messages",)
    if total and not demand.queued and not demand.running:
        return (f"SQS has {total} messages, but the database has no queued or running tasks",)
    return ()


def unserved_tasks(tasks: TaskRead, groups: Sequence[WorkerGroup]) -> dict[str, int]:
    """Queued tasks by queue, for queues that no worker group serves: they would wait forever."""
    served = {group.queue for group in groups}
    return {
        queue: count.queued for queue, count in (tasks.counts or {}).items() if queue not in served and count.queued
    }


def _demand(
    tasks: TaskRead, queue: str, messages: MessageCounts | None, messages_read_at: float, forecast: Forecast
) -> Demand | None:
    """Exact counts with the forecast if the database answered, else SQS' approximate counts, else None."""
    if tasks.counts is not None:
        count = tasks.counts.get(queue, TaskCounts())
        outlook = (forecast.queues or {}).get(queue, QueueOutlook())
        return Demand(
            queued=count.queued,
            running=count.running,
            read_at=tasks.read_at,
            scheduled=count.scheduled,
            busy_workers=count.busy_workers,
            remaining_seconds=outlook.remaining_seconds[: count.running],
            upcoming=outlook.upcoming,
            mean_task_seconds=outlook.mean_task_seconds,
            unscheduled_rate=outlook.unscheduled_rate,
        )
    if messages is not None:
        return Demand(queued=messages.visible, running=messages.in_flight, read_at=messages_read_at, source=Source.SQS)
    return None


def _fleet(counts: ServiceCounts | None, read_at: float, start_up: float | None) -> Fleet | None:
    if counts is None:
        return None
    return Fleet(
        desired=counts.desired,
        running=counts.running,
        pending=counts.pending,
        read_at=read_at,
        start_up_seconds=start_up,
        replaced=counts.replaced,
    )
