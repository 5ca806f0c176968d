# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether what tasks name is there: queues, which need a group of workers, and pools, which only Airflow knows."""

from collections.abc import Collection, Iterator
from typing import Any

from sm2a_runtime.dag_check.findings import Finding, line_of

DEFAULT_POOL = "default_pool"


def queue_problems(dag: Any, queues: Collection[str]) -> Iterator[Finding]:
    """Tasks whose queue no group of workers reads."""
    for task in dag.tasks:
        if task.queue not in queues:
            line = line_of(dag.fileloc, task.queue, task.task_id.rpartition(".")[2], dag.dag_id)
            reason = f"no group of workers has the queue {task.queue}, only {', '.join(sorted(queues))}"
            yield Finding(dag.fileloc, line, f"the task {task.task_id} of the DAG {dag.dag_id} never runs: {reason}")


def pools(dag: Any) -> Iterator[Finding]:
    """A word for each pool: a task whose pool does not exist waits for ever."""
    for pool in sorted({task.pool for task in dag.tasks} - {DEFAULT_POOL}):
        line = line_of(dag.fileloc, pool, dag.dag_id)
        yield Finding(dag.fileloc, line, f"the DAG {dag.dag_id} needs the pool {pool}, which must exist in Airflow")
