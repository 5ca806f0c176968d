# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""So many tasks of so many seconds, after one that plans them. None is tried again."""

import time
from typing import Any

from airflow.sdk import Param, dag, task


@dag(
    schedule=None,
    catchup=False,
    max_active_tasks=1000,
    default_args={"retries": 0},
    params={"tasks": Param(8, type="integer"), "seconds": Param(0, type="number")},
)
def throughput() -> None:
    @task
    def plan(params: dict[str, Any]) -> list[float]:
        """Seconds of each task."""
        return [params["seconds"]] * params["tasks"]

    @task
    def work(seconds: float) -> None:
        """Each execution leaves one line."""
        print("throughput executed")
        if seconds:
            time.sleep(seconds)

    work.expand(seconds=plan())


throughput()
