# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The forecast of every queue, as pure functions of the tasks in progress, DAG structures and task history."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from sm2a_autoscaler.decision.model import Upcoming
from sm2a_autoscaler.look_ahead.max_active_tasks import within_limit
from sm2a_autoscaler.look_ahead.model import (
    ARRIVALS_SECONDS,
    Arrivals,
    KnownPast,
    Progress,
    QueueOutlook,
    TaskKey,
    TaskStateCount,
)
from sm2a_autoscaler.look_ahead.plans import (
    ACTIVE,
    WAITING,
    Plan,
    StructuresByVersion,
    mean,
    plans_of_running_runs,
    plans_of_starting_runs,
    remaining,
    width,
)
from sm2a_autoscaler.look_ahead.start_times import expected_tasks


def keys_of_interest(progress: Progress, structures: StructuresByVersion) -> Iterator[TaskKey]:
    """Tasks whose history is needed, the most important first: running, waiting, then future tasks."""
    yield from (task.key for task in progress.running)
    yield from (item.key for item in progress.task_states if item.state in WAITING)
    yield from (item.key for item in progress.task_states if item.state is None)
    for run in progress.starting:
        structure = structures.get(run.version or "")
        yield from ((run.dag_id, task_id) for task_id in structure.tasks) if structure else ()


def look_ahead(
    progress: Progress,
    structures: StructuresByVersion,
    past: KnownPast,
    *,
    default_queue: str,
    horizon_seconds: float,
) -> Mapping[str, QueueOutlook]:
    """The outlook by queue; queues without one are absent. ``structures`` holds the DAG versions read so far."""
    ends: dict[str, list[float]] = defaultdict(list)
    for task in progress.running:
        seconds = remaining(task, past)
        if seconds is not None:
            ends[task.queue].append(seconds)
    plans = (
        *plans_of_running_runs(progress, structures, past),
        *plans_of_starting_runs(progress, structures, past, default_queue),
    )
    upcoming = upcoming_tasks(plans, horizon_seconds)
    rates = arrival_rates(progress.arrivals, structures, past, default_queue)
    means = mean_seconds(progress.task_states, past)
    return {
        queue: QueueOutlook(
            tuple(sorted(ends.get(queue, ()))),
            upcoming.get(queue, ()),
            means.get(queue),
            rates.get(queue, 0.0),
        )
        for queue in {*ends, *upcoming, *rates, *means}
    }


def upcoming_tasks(plans: Iterable[Plan], horizon_seconds: float) -> Mapping[str, tuple[Upcoming, ...]]:
    """The planned tasks within the horizon, by queue and in order of time; similar tasks of one second are merged."""
    tasks: dict[str, Counter[tuple[float, float]]] = defaultdict(Counter)
    for plan in plans:
        expected = [
            (queue, item)
            for queue in sorted(set(plan.queues))
            for item in expected_tasks(plan.for_queue(queue), horizon_seconds)
        ]
        for queue, item in within_limit(expected, plan.active, plan.limit, horizon_seconds):
            seconds = -1.0 if item.seconds is None else round(item.seconds, 1)
            tasks[queue][float(round(item.in_seconds)), seconds] += item.tasks * plan.runs
    return {
        queue: tuple(
            Upcoming(at, count, None if seconds < 0 else seconds) for (at, seconds), count in sorted(counts.items())
        )
        for queue, counts in tasks.items()
    }


def mean_seconds(task_states: Iterable[TaskStateCount], past: KnownPast) -> Mapping[str, float]:
    """Mean duration of the waiting and running tasks with a known history, by queue."""
    totals: dict[str, float] = defaultdict(float)
    counts: Counter[str] = Counter()
    for item in task_states:
        seconds = mean(item.key, past) if item.state in ACTIVE else None
        if seconds is not None:
            totals[item.queue] += seconds * item.count
            counts[item.queue] += item.count
    return {queue: totals[queue] / count for queue, count in counts.items()}


def arrival_rates(
    arrivals: Iterable[Arrivals], structures: StructuresByVersion, past: KnownPast, default_queue: str
) -> Mapping[str, float]:
    """Root tasks of unannounced runs per second, by queue. Their downstream tasks are forecast once they run."""
    arrived: Counter[str] = Counter()
    for run in arrivals:
        structure = structures.get(run.version or "")
        for task_id, shape in structure.tasks.items() if structure else ():
            if not shape.parents:
                arrived[shape.queue or default_queue] += run.runs * width(shape, (run.dag_id, task_id), past)
    return {queue: tasks / ARRIVALS_SECONDS for queue, tasks in arrived.items()}
