# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The remaining work of each DAG run that is running or starts soon, as input for ``expected_tasks``: pure functions.

Only tasks that Airflow will certainly start if all goes well are forecast. Excluded are tasks downstream of a task that
failed, was skipped, waits for a retry or is deferred; children of a branch; tasks that wait for a failure or for an
earlier run; and everything downstream of those.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sm2a_autoscaler.look_ahead.model import KnownPast, Progress, RunningTask, StartingRuns, TaskKey, TaskStateCount
from sm2a_autoscaler.look_ahead.start_times import Outstanding
from sm2a_autoscaler.look_ahead.structures import DagStructure, TaskShape

DONE = frozenset({"success", "removed"})
WAITING = frozenset({"scheduled", "queued"})
RUNNING = frozenset({"running", "restarting"})
ACTIVE = WAITING | RUNNING
# Nothing downstream of this is forecast.
BLOCKED = Outstanding((), 0.0, None, 0)

StructuresByVersion = Mapping[str, DagStructure]  # by DAG version
RunKey = tuple[str, str]  # dag_id, run_id


@dataclass(frozen=True)
class Plan:
    """The remaining steps of a run, parents first, and the queue of each step; the plan holds for ``runs`` equal runs.

    ``active`` has the seconds until each active task of the run ends, infinity where unknown. At most ``limit`` tasks
    of the run are active at once.
    """

    steps: tuple[Outstanding, ...]
    queues: tuple[str, ...]
    limit: int | None
    active: tuple[float, ...] = ()
    runs: int = 1

    def for_queue(self, queue: str) -> list[Outstanding]:
        """The steps, with no tasks for the steps of other queues."""
        return [
            step if own == queue else replace(step, tasks=0) for step, own in zip(self.steps, self.queues, strict=True)
        ]


def plans_of_running_runs(progress: Progress, structures: StructuresByVersion, past: KnownPast) -> Iterator[Plan]:
    """The plan of each running DAG run that has future tasks and whose DAG structure is known."""
    runs: dict[RunKey, dict[str, list[TaskStateCount]]] = defaultdict(lambda: defaultdict(list))
    versions: dict[RunKey, str] = {}
    for item in progress.task_states:
        runs[item.dag_id, item.run_id][item.task_id].append(item)
        if item.state is None and item.version:
            versions[item.dag_id, item.run_id] = item.version
    ends: dict[tuple[str, str, str], list[float | None]] = defaultdict(list)
    for task in progress.running:
        ends[task.dag_id, task.run_id, task.task_id].append(remaining(task, past))

    for (dag_id, run_id), version in versions.items():
        structure = structures.get(version)
        if structure is not None:
            ends_here = {task_id: ends[dag_id, run_id, task_id] for task_id in structure.tasks}
            yield _remaining_plan(structure, runs[dag_id, run_id], ends_here, past)


def plans_of_starting_runs(
    progress: Progress, structures: StructuresByVersion, past: KnownPast, default_queue: str
) -> Iterator[Plan]:
    """The full plan of each DAG run that starts soon."""
    for run in progress.starting:
        structure = structures.get(run.version or "")
        if structure is not None and run.runs:
            yield _full_plan(structure, run, past, default_queue)


def mean(key: TaskKey, past: KnownPast) -> float | None:
    """Mean duration of a task in seconds."""
    known = past.of(key)
    return known.mean if known else None


def remaining(task: RunningTask, past: KnownPast) -> float | None:
    """Expected seconds until a running task ends."""
    known = past.of(task.key)
    return known.remaining(task.elapsed) if known else None


def width(shape: TaskShape, key: TaskKey, past: KnownPast) -> int:
    """Instances of a task in a run: as the DAG says, else as many as in the last run."""
    if shape.width is not None:
        return shape.width
    known = past.of(key)
    return known.width if known else 1


def _remaining_plan(
    structure: DagStructure,
    task_states: Mapping[str, list[TaskStateCount]],
    ends: Mapping[str, list[float | None]],
    past: KnownPast,
) -> Plan:
    steps: list[Outstanding] = []
    queues: list[str] = []
    active: list[float] = []
    positions: dict[str, int] = {}
    for task_id, shape in structure.tasks.items():
        own = task_states.get(task_id, [])
        if own and {item.state for item in own} <= DONE:
            continue
        step = _step(own, shape, ends[task_id], past)
        if step.starts_in is None:
            parents = tuple(positions[parent] for parent in shape.parents if parent in positions)
            step = replace(step, parents=parents)
        active += _ends(own, ends[task_id], past)
        positions[task_id] = len(steps)
        steps.append(step)
        queues.append(own[0].queue if own else "")
    return Plan(tuple(steps), tuple(queues), structure.max_active_tasks, tuple(active))


def _ends(task_states: list[TaskStateCount], running: list[float | None], past: KnownPast) -> Iterator[float]:
    """Seconds until the active instances of one task end; waiting instances count as started now."""
    yield from (math.inf if seconds is None else seconds for seconds in running)
    for item in task_states:
        if item.state in WAITING:
            seconds = mean(item.key, past)
            yield from [math.inf if seconds is None else seconds] * item.count


def _step(
    task_states: list[TaskStateCount], shape: TaskShape, ends: list[float | None], past: KnownPast
) -> Outstanding:
    """One task with instances that have not succeeded yet; the caller adds its parents."""
    counts: Counter[str | None] = Counter()
    for item in task_states:
        counts[item.state] += item.count
    states = counts.keys() - DONE
    if not states or not states <= ACTIVE | {None}:
        return BLOCKED
    key = task_states[0].key
    if None in states:
        # A mapped task that is not expanded yet has a single row.
        tasks = counts[None] if counts[None] > 1 else width(shape, key, past)
        return Outstanding((), None, mean(key, past), tasks) if shape.foreseeable else BLOCKED
    if states <= RUNNING:
        known = [seconds for seconds in ends if seconds is not None]
        return Outstanding((), 0.0, max(known) if known and len(known) == len(ends) else None, 0)
    return Outstanding((), 0.0, mean(key, past), 0)


def _full_plan(structure: DagStructure, run: StartingRuns, past: KnownPast, default_queue: str) -> Plan:
    steps: list[Outstanding] = []
    positions: dict[str, int] = {}
    for task_id, shape in structure.tasks.items():
        positions[task_id] = len(steps)
        key = run.dag_id, task_id
        parents = tuple(positions[parent] for parent in shape.parents)
        # Root tasks of a run that starts at any moment have no parents to wait for; 0 would mean already queued.
        starts_in = run.in_seconds if run.in_seconds > 0 and not parents else None
        tasks = width(shape, key, past)
        steps.append(Outstanding(parents, starts_in, mean(key, past), tasks) if shape.foreseeable else BLOCKED)
    queues = tuple(shape.queue or default_queue for shape in structure.tasks.values())
    return Plan(tuple(steps), queues, structure.max_active_tasks, runs=run.runs)
