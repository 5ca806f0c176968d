# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which workers drain, that is, take no new tasks so that they become idle, and the drain marker that tells them so.

The drain marker is the length of a worker's scale-in protection, which both autoscaler and worker can set. A busy
worker protects itself for twelve hours, and the autoscaler marks a worker by protecting it for 48 hours
(``sm2a_runtime.worker.drain`` reads it). Setting or clearing the marker therefore never removes protection, the marker
survives a restart of the autoscaler, and ECS stops a worker only after the worker itself has released its protection.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sm2a_autoscaler.fleet.ecs_tasks import Worker

# Protection of a worker that drains, and of one that does not.
DRAIN_MARKER_MINUTES = 2880
BUSY_WORKER_MINUTES = 720
# Protection that lasts longer than this is a drain marker. The worker uses the same threshold.
DRAIN_MARKER_SECONDS = 24 * 3600.0
TASKS_PER_UPDATE = 10  # limit of UpdateTaskProtection


@dataclass(frozen=True)
class Draining:
    """Changes to the drain markers of a group: workers to mark, workers to unmark, and how many drain afterwards."""

    mark: tuple[Worker, ...] = ()
    unmark: tuple[Worker, ...] = ()
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
    """Choose the busy workers that drain: all that are ``replaced``, and ``wanted`` others.

    Workers that drain already come first, then those with the fewest tasks, which are empty soonest.

    ``tasks`` is the number of running tasks by address, ``protected`` the end of protection by ARN (see
    ``read_protection``). Only protected workers are marked: any other has no task left, or is about to protect itself.
    """
    busy = [worker for worker in workers if worker.address in tasks and worker.arn in protected]
    marked = {worker.arn for worker in busy if protected[worker.arn] - wall > DRAIN_MARKER_SECONDS}
    leaving = [worker for worker in busy if worker in replaced]
    staying = [worker for worker in busy if worker not in replaced]
    staying.sort(key=lambda worker: (worker.arn not in marked, tasks[worker.address or ""], worker.arn))
    chosen, others = leaving + staying[: max(0, wanted)], staying[max(0, wanted) :]
    return Draining(
        mark=tuple(worker for worker in chosen if worker.arn not in marked),
        unmark=tuple(worker for worker in others if worker.arn in marked),
        total=len(chosen),
    )


def update_markers(ecs: Any, cluster: str, draining: Draining) -> None:
    """Set and clear drain markers.

    ECS reports a worker that has ended meanwhile as a failure, which is no error here. Raises botocore's errors.
    """
    for workers, minutes in ((draining.unmark, BUSY_WORKER_MINUTES), (draining.mark, DRAIN_MARKER_MINUTES)):
        for start in range(0, len(workers), TASKS_PER_UPDATE):
            arns = [worker.arn for worker in workers[start : start + TASKS_PER_UPDATE]]
            ecs.update_task_protection(cluster=cluster, tasks=arns, protectionEnabled=True, expiresInMinutes=minutes)
