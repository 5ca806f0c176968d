# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A task may start processes with `multiprocessing`: the real pool process of Celery, with the worker's hook."""

import json
import subprocess
import sys
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

# As Airflow does it: a process of the pool forks, and the task runs in the fork.
PROGRAM = """
import json, multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
import billiard
from celery import signals
from sm2a_runtime.worker import hooks

assert __name__ == "__main__", "the worker's program cannot run in a task"

def task(method):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        squares = pool.map(abs, [-1, 2])
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        return squares + list(pool.map(abs, [-3]))

def pool_process(output):
    signals.worker_process_init.send(sender=None)
    child = os.fork()
    if child == 0:
        results = {method: task(method) for method in ("fork", "spawn", "forkserver")}
        results["name"] = multiprocessing.current_process().name
        with open(output, "w") as file:
            json.dump(results, file)
        os._exit(0)
    os.waitpid(child, 0)

if __name__ == "__main__":
    process = billiard.Process(target=pool_process, args=(sys.argv[1],), name="ForkPoolWorker-7")
    process.daemon = True
    process.start()
    process.join()
"""


def test_a_task_may_start_processes_in_every_way(tmp_path: Path) -> None:
    program, output = tmp_path / "program.py", tmp_path / "output.json"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program), str(output)],
        env={"PYTHONPATH": str(PROJECT / "docker/airflow"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert output.exists(), done.stderr
    found = json.loads(output.read_text(encoding="utf-8"))
    assert found == {"fork": [1, 2, 3], "spawn": [1, 2, 3], "forkserver": [1, 2, 3], "name": "ForkPoolWorker-7"}
