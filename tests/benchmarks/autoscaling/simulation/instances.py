# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks and runs while they are played."""

from __future__ import annotations

from dataclasses import dataclass, field

from .model import Run, Task
from .workers import Worker


@dataclass(eq=False, slots=True)
class RunState:
    """A run that began, and how many of its tasks are not done."""

    run: Run
    open_tasks: int
    instances: list[Instance] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Instance:
    """One task of one run: how many parents it waits for, which tasks wait for it, since when it is where it is."""

    key: int
    task: Task
    run: RunState
    waiting_for: int
    children: list[Instance] = field(default_factory=list)
    parents: list[Instance] = field(default_factory=list)
    queued_at: float = 0.0
    started_at: float = 0.0
    waited: float = 0.0
    attempt: int = 0
    done: bool = False
    worker: Worker | None = None


def begin(run: Run, first_key: int) -> RunState:
    """The instances of a run, each with its parents and children; keys count up from ``first_key``."""
    state = RunState(run, len(run.tasks))
    for number, task in enumerate(run.tasks):
        state.instances.append(Instance(first_key + number, task, state, len(task.parents)))
    for instance in state.instances:
        instance.parents = [state.instances[parent] for parent in instance.task.parents]
        for parent in instance.parents:
            parent.children.append(instance)
    return state
