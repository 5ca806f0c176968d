# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""DAGs of the shape that most pipelines have, made of a seeded stream."""

from __future__ import annotations

import random

from ..simulation.model import Run, Task

NOISE = 0.25


def noisy(stream: random.Random, seconds: float) -> float:
    """The same task takes about as long each time."""
    return max(0.5, seconds * stream.lognormvariate(0, NOISE))


def etl_runs(stream: random.Random, seconds: float, minutes: int, width: int, mean_seconds: float) -> tuple[Run, ...]:
    """Five DAGs: each every ``minutes`` times one to three, a few minutes apart, and now and then by hand as well."""
    runs: list[Run] = []
    for dag in range(5):
        tasks = etl_tasks(stream, f"dag {dag}", max(2, int(width * stream.uniform(0.5, 1.5))), mean_seconds)
        period = minutes * 60 * stream.choice((1, 1, 2, 3))
        at = stream.uniform(0, period)
        while at < seconds:
            runs.append(repeat(stream, at, tasks, announced=True))
            at += period
        at = stream.expovariate(1 / 7200)
        while at < seconds:
            runs.append(repeat(stream, at, tasks, announced=False))
            at += stream.expovariate(1 / 7200)
    return tuple(sorted(runs, key=lambda run: run.at))


def etl_tasks(stream: random.Random, dag: str, width: int, mean_seconds: float) -> tuple[Task, ...]:
    """One extract, ``width`` transforms of it, an aggregate of every four of these, and one load of all."""
    durations = [mean_seconds * stream.lognormvariate(-0.3, 0.75) for _ in range(width)]
    tasks = [Task(f"{dag} extract", mean_seconds / 2)]
    tasks += [Task(f"{dag} transform {number}", duration, (0,)) for number, duration in enumerate(durations)]
    aggregates = []
    for first in range(1, width + 1, 4):
        aggregates.append(len(tasks))
        parents = tuple(range(first, min(first + 4, width + 1)))
        tasks.append(Task(f"{dag} aggregate {first}", mean_seconds / 2, parents))
    tasks.append(Task(f"{dag} load", mean_seconds / 3, tuple(aggregates)))
    return tuple(tasks)


def repeat(stream: random.Random, at: float, tasks: tuple[Task, ...], announced: bool) -> Run:
    """Another run of a DAG, each task of which takes about as long as it does."""
    return Run(at, tuple(Task(task.kind, noisy(stream, task.seconds), task.parents) for task in tasks), announced)
