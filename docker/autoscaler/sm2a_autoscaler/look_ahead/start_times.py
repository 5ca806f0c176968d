# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""When the tasks of one DAG run that are not queued yet are expected to be, however many steps ahead."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sm2a_autoscaler.decision.model import Upcoming


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A task that has not ended.

    ``parents`` are the positions, in the same sequence, of those parents that have not ended either; all come before
    it. ``starts_in`` is seconds until it begins: negative once it runs, 0 while it is queued, positive for a root task
    of a run that is due then; None for one that waits for its parents. ``seconds`` is how long it takes by experience,
    None without any. ``tasks`` is how many instances it is expanded to; 0 when its queue is another one.
    """

    parents: tuple[int, ...]
    starts_in: float | None
    seconds: float | None
    tasks: int = 1


def chain(run: Iterable[Outstanding], horizon: float) -> list[Upcoming]:
    """What will be queued within ``horizon`` seconds, in the order given.

    What follows a task of unknown duration is unknown and left out. A running task that is overdue ends any moment.
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
