# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Workflow instances by wfcommons: recipes learned from recorded executions, generated without the network."""

from __future__ import annotations

import random
from functools import cache

from ..simulation.model import Run, Task
from .dags import repeat


def workflow_runs(
    stream: random.Random, seconds: float, recipes: tuple[str, ...], tasks: int, mean_seconds: float
) -> tuple[Run, ...]:
    """Each recipe as one DAG of about ``tasks`` tasks: every 60 to 120 minutes by schedule, and twice by hand."""
    runs: list[Run] = []
    for recipe in recipes:
        dag = instance(recipe, tasks, mean_seconds, stream.randrange(1 << 31))
        period = stream.uniform(3600, 7200)
        at = stream.uniform(0, period)
        while at < seconds:
            runs.append(repeat(stream, at, dag, announced=True))
            at += period
        runs += [repeat(stream, stream.uniform(0, seconds), dag, announced=False) for _ in range(2)]
    return tuple(sorted(runs, key=lambda run: run.at))


@cache
def instance(recipe: str, tasks: int, mean_seconds: float, seed: int) -> tuple[Task, ...]:
    """A generated workflow, parents before children, with run times scaled to that mean and none above 30 times it."""
    import numpy as np  # noqa: PLC0415 (only this workload needs the packages of the group `bench`)
    from wfcommons import WorkflowGenerator  # noqa: PLC0415
    from wfcommons.wfchef import recipes as known  # noqa: PLC0415

    random.seed(seed)
    np.random.seed(seed)  # (wfcommons draws from the streams of both modules)
    workflow = WorkflowGenerator(getattr(known, recipe).from_num_tasks(tasks)).build_workflow()
    order = _parents_first({name: sorted(workflow.predecessors(name)) for name in sorted(workflow.nodes)})
    position = {name: number for number, name in enumerate(order)}
    mean = sum(workflow.tasks[name].runtime for name in order) / len(order)
    return tuple(
        Task(
            f"{recipe} {name}",
            min(30.0, workflow.tasks[name].runtime / mean) * mean_seconds,
            tuple(sorted(position[parent] for parent in workflow.predecessors(name))),
        )
        for name in order
    )


def _parents_first(parents: dict[str, list[str]]) -> list[str]:
    """A topological order, the same every time."""
    order: dict[str, None] = {}
    while len(order) < len(parents):
        order |= dict.fromkeys(
            name for name, needed in parents.items() if name not in order and all(item in order for item in needed)
        )
    return list(order)
