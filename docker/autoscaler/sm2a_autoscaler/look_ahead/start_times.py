# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Expected start times of the tasks of one DAG run that are not queued yet, any number of steps ahead."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sm2a_autoscaler.decision.model import Upcoming


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A task that has not ended.

    ``parents`` are the positions, in the same sequence, of the parents that have not ended; all come before it.
    ``starts_in`` is the seconds until it starts: negative for a running task, 0 for a queued one, positive for a root
    task of a future run, None for a task that waits for its parents. ``seconds`` is its mean duration, None if unknown.
    ``tasks`` is its number of mapped instances, 0 if it belongs to another queue.
    """

    parents: tuple[int, ...]
    starts_in: float | None
    seconds: float | None
    tasks: int = 1


def expected_tasks(run: Iterable[Outstanding], horizon: float) -> list[Upcoming]:
    """The tasks that will be queued within ``horizon`` seconds, in the order given.

    Tasks downstream of a task with unknown duration are left out. An overdue task is expected to end at any moment.
    """
    ends: list[float] = []
    expected: list[Upcoming] = []
    for task in run:
        parents_end = max((ends[parent] for parent in task.parents), default=0.0)
        start = parents_end if task.starts_in is None else task.starts_in
        ends.append(math.inf if task.seconds is None else max(0.0, start + task.seconds))
        waits = task.starts_in is None or task.starts_in > 0
        if waits and task.tasks and start <= horizon:
            expected.append(Upcoming(start, task.tasks, task.seconds))
    return expected
