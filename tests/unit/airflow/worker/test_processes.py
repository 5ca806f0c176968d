# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A task may start processes with `multiprocessing`: the real pool process of Celery, with the worker's hook."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

# As Airflow does it: a process of the pool forks, and the task runs in the fork.
PROGRAM = """
import json, multiprocessing, os, signal, sys, time
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

def ended():
    # As Airflow's handler does in every process but its own.
    signal.signal(signal.SIGTERM, lambda *_: None)
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
    process.start()
    # Not before it runs.
    time.sleep(2)
    process.terminate()
    process.join(10)
    return process.exitcode

def pool_process(output):
    signals.worker_process_init.send(sender=None)
    child = os.fork()
    if child == 0:
        results = {method: task(method) for method in ("fork", "spawn", "forkserver")}
        results["ended"] = ended()
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
    process = subprocess.Popen(
        [sys.executable, str(program), str(output)],
        env={"PYTHONPATH": str(PROJECT / "docker/airflow"), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _out, errors = process.communicate(timeout=60)
    finally:
        # Whatever it has started: a pool makes a new process for each that fails.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert output.exists(), errors
    found = json.loads(output.read_text(encoding="utf-8"))
    ways = {"fork": [1, 2, 3], "spawn": [1, 2, 3], "forkserver": [1, 2, 3]}
    assert found == {**ways, "ended": -signal.SIGTERM, "name": "ForkPoolWorker-7"}
