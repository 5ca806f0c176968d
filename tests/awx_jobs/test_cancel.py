# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A job that is cancelled in the middle: its container ends, and the environment is not lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.awx_jobs.controller import JobRun
from ansible_collections.sm2a.airflow.tests.awx_jobs.desk import IMAGES, Desk, holder

pytestmark = pytest.mark.engine


def at(task: str) -> Callable[[Mapping[str, Any], Callable[[], None]], None]:
    """Cancel when a task begins whose name has this text."""

    def when(event: Mapping[str, Any], cancel: Callable[[], None]) -> None:
        if event["event"] == "playbook_on_task_start" and task in event["event_data"]["task"]:
            cancel()

    return when


@pytest.fixture(scope="module")
def cancelled(desk: Desk) -> JobRun:
    desk.prepare()
    return desk.launch("SM2A: deploy", IMAGES, when=at("Create the queues"))


def test_the_container_is_gone(cancelled: JobRun, desk: Desk) -> None:
    assert cancelled.status == "canceled", cancelled.end()
    assert "PLAY RECAP" not in cancelled.output
    left = subprocess.run(
        ["podman", "ps", "--all", "--format", "{{.Names}}"], check=True, capture_output=True, text=True
    )
    assert f"ansible_runner_{cancelled.number}" not in left.stdout.split()


def test_the_next_job_takes_the_lock_over_or_says_who_holds_it(cancelled: JobRun, desk: Desk) -> None:
    """The container was killed, so nobody gave the lock back. On the same node the next job may see that it is gone."""
    assert holder(desk.aws) is not None
    following = desk.launch("SM2A: deploy", IMAGES)
    if following.status == "failed":
        assert following.changed == []
        [said] = following.failures
        assert "Another run is changing this environment" in said
        assert "playbooks/unlock.yml" in said
        unlocked = desk.launch("SM2A: unlock")
        assert unlocked.status == "successful", unlocked.end()
        assert holder(desk.aws) is None
    else:
        assert "Took over the run lock of" in " ".join(following.output.split())


def test_then_it_is_deployed_to_the_end(cancelled: JobRun, desk: Desk) -> None:
    again = desk.launch("SM2A: deploy", IMAGES)
    assert again.status == "successful", again.end()
    assert holder(desk.aws) is None
    assert desk.launch("SM2A: deploy", IMAGES).changed == []
