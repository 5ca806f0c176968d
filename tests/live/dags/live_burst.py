# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks of given durations on two queues. None is tried again, so that one that was killed fails the run."""

import time
from typing import Any

from airflow.sdk import Param, dag, task

SECONDS = {"type": "array", "items": {"type": "number"}}


@dag(
    schedule=None,
    catchup=False,
    max_active_tasks=1000,
    default_args={"retries": 0},
    params={"default": Param([5], **SECONDS), "heavy": Param([5], **SECONDS)},
)
def live_burst() -> None:
    @task
    def durations(queue: str, params: dict[str, Any]) -> list[float]:
        """Seconds of each task of the queue."""
        return list(params[queue])

    @task
    def work(seconds: float, queue: str) -> None:
        """Each execution leaves one line."""
        print(f"live_burst executed on {queue}")
        time.sleep(seconds)

    for queue in ("default", "heavy"):
        planned = durations.override(task_id=f"plan_{queue}")(queue)
        work.override(task_id=f"work_{queue}", queue=queue).partial(queue=queue).expand(seconds=planned)


live_burst()
