# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Which workers take no further tasks, so that they become idle, and how they are told.

They are told by their own scale-in protection, the one thing that autoscaler and worker may both set: a worker
protects itself for twelve hours while it has tasks; one that shall drain is protected for two days
(``sm2a_runtime.worker.drain``). So nobody loses protection, the sign outlives a restart of the autoscaler, and ECS
stops a worker only after it gave its protection back itself, without a task.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sm2a_autoscaler.fleet.ecs_tasks import Worker

SIGN_MINUTES = 2880
OWN_MINUTES = 720
# What lasts longer is the sign, on either side.
SIGN_SECONDS = 24 * 3600.0
UPDATED_AT_ONCE = 10  # tasks in one call of UpdateTaskProtection


@dataclass(frozen=True)
class Draining:
    """Busy workers of a group: those that drain from now on, those that take tasks again, and all that drain then."""

    begin: tuple[Worker, ...] = ()
    end: tuple[Worker, ...] = ()
    total: int = 0


def choose(
    workers: Sequence[Worker],
    tasks: Mapping[str, int],
    protected: Mapping[str, float],
    wanted: int,
    wall: float,
    *,
    replaced: Collection[Worker] = (),
) -> Draining:
    """The busy ones of the workers that are ``replaced``, and ``wanted`` others.

    Of these first those that drain already, then those with the fewest tasks, which are empty first.

    ``tasks`` are running tasks by address, ``protected`` when the protection of a task ends (see ``read_protection``).
    Only protected workers are told: one without has no task any more, or not yet its protection.
    """
    busy = [worker for worker in workers if worker.address in tasks and worker.arn in protected]
    told = {worker.arn for worker in busy if protected[worker.arn] - wall > SIGN_SECONDS}
    leaving = [worker for worker in busy if worker in replaced]
    staying = [worker for worker in busy if worker not in replaced]
    staying.sort(key=lambda worker: (worker.arn not in told, tasks[worker.address or ""], worker.arn))
    chosen, others = leaving + staying[: max(0, wanted)], staying[max(0, wanted) :]
    return Draining(
        begin=tuple(worker for worker in chosen if worker.arn not in told),
        end=tuple(worker for worker in others if worker.arn in told),
        total=len(chosen),
    )


def tell(ecs: Any, cluster: str, draining: Draining) -> None:
    """Protect those that drain for as long as is the sign, and the others as they do themselves.

    A worker that ended meanwhile is refused by ECS, which is no error here. Raises botocore's errors.
    """
    for workers, minutes in ((draining.end, OWN_MINUTES), (draining.begin, SIGN_MINUTES)):
        for start in range(0, len(workers), UPDATED_AT_ONCE):
            arns = [worker.arn for worker in workers[start : start + UPDATED_AT_ONCE]]
            ecs.update_task_protection(cluster=cluster, tasks=arns, protectionEnabled=True, expiresInMinutes=minutes)
