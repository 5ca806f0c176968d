# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs that are cancelled while they hold the run lock: it is given back, or the next job of the template takes it."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.faults.conftest import MORE, Bench
from ansible_collections.sm2a.airflow.tests.faults.locks import lock_of, move_elsewhere
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll

pytestmark = pytest.mark.chain("faults")


def job(number: int, template: int = 7) -> dict[str, Any]:
    """What AWX adds to the variables of a job, and what its template says of simultaneous jobs."""
    names = {"awx_user_name": "grace\nhopper", "awx_job_template_name": "Deploy"}
    return {**names, "awx_job_id": number, "awx_job_template_id": template, "sm2a_lock_allow_simultaneous": False}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_the_run_and_its_lock(bench: Bench, empty_account: None, number: signal.Signals) -> None:
    workers: set[int] = set()

    def cancel(run: subprocess.Popen[bytes]) -> None:
        # Two workers after the lock was taken, so in the middle of the roles.
        poll(lambda: lock_of(bench) is not None or run.poll() is not None, 60, pause=0.05)
        before = set(runs.descendants(run.pid))
        poll(lambda: set(runs.descendants(run.pid)) - before, 60, pause=0.05)
        workers.update(runs.descendants(run.pid))
        run.send_signal(number)
        run.wait(timeout=30)

    site = bench.play("site", watch=cancel)
    assert site.code in (-number, 99, 128 + number), site.end()
    assert not any("Give the lock back" in task for task in site.tasks("ok"))
    assert poll(lambda: lock_of(bench) is None, 15, pause=0.1), "the lock is still there"
    assert poll(lambda: not any(is_running(pid) for pid in workers), 15, pause=0.1), "a worker goes on"


def is_running(pid: int) -> bool:
    return runs.state(pid) not in ("", "Z")


def test_a_job_that_lost_its_container_is_followed_by_the_next_of_its_template(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWX_HOST", "https://awx.example.com")

    def lose(run: subprocess.Popen[bytes]) -> None:
        poll(lambda: lock_of(bench) is not None or run.poll() is not None, 60, pause=0.05)
        runs.kill(run)

    bench.play("site", watch=lose, extra=job(41))
    move_elsewhere(bench)
    refused = bench.aws.play("teardown", extra={**MORE, **runs.DESTROY, **job(44, template=8)})
    assert refused.changed == []
    link = "https://awx.example.com/#/jobs/playbook/41"
    assert f'grace hopper (job 41 of template "Deploy", {link}, playbook site.yml) since ' in refused.message
    checked = bench.aws.play("teardown", "--check", extra={**MORE, **runs.DESTROY, **job(45)})
    assert "the predicted changes may be wrong" not in checked.output
    removal = bench.aws.play("teardown", extra={**MORE, **runs.DESTROY, **job(45)})
    assert removal.code == 0, removal.end()
    assert "job 41 has ended: the jobs of its template run one after another" in " ".join(removal.output.split())
    assert lock_of(bench) is None
