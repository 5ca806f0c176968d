# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""
### Put load on the workers

Starts `tasks` tasks that each sleep `seconds`. Use it to watch the autoscaler, or to see that nothing is lost or done
twice while workers come and go.

Each execution writes the line `sm2a_load executed index=<index> try=<try>` to its log, so a line that occurs twice in
the logs of one run is a task that ran twice. The last task fails unless every index reported.
"""

import os
import time
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task


@dag(
    schedule=None,
    catchup=False,
    doc_md=__doc__,
    tags=["sm2a", "load"],
    default_args={"retries": 1, "retry_delay": timedelta(seconds=5)},
    max_active_tasks=1000,
    params={
        "tasks": Param(20, type="integer", minimum=1, maximum=1000, description="How many tasks"),
        "seconds": Param(10, type="number", minimum=0, description="How long each sleeps"),
    },
)
def sm2a_load() -> None:
    @task
    def plan(params: dict[str, Any]) -> list[int]:
        """The indices of the tasks to run."""
        return list(range(params["tasks"]))

    @task
    def sleep(index: int, params: dict[str, Any]) -> dict[str, Any]:
        """Sleep, and say who did it when."""
        attempt = get_current_context()["ti"].try_number
        started = time.time()
        print(f"sm2a_load executed index={index} try={attempt}")
        time.sleep(params["seconds"])
        return {
            "index": index,
            "try": attempt,
            "host": os.uname().nodename,
            "started": started,
            "finished": time.time(),
        }

    @task
    def check(executions: list[dict[str, Any]], indices: list[int]) -> dict[str, Any]:
        """Every index once; how many hosts and retries it took."""
        executions = list(executions)
        seen = sorted(execution["index"] for execution in executions)
        if seen != indices:
            raise ValueError(f"expected {len(indices)} tasks, got {len(seen)}")
        return {
            "tasks": len(seen),
            "hosts": len({execution["host"] for execution in executions}),
            "retried": sum(execution["try"] > 1 for execution in executions),
        }

    indices = plan()
    check(sleep.expand(index=indices), indices)


sm2a_load()
