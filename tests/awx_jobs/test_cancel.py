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


def test_another_template_is_refused(cancelled: JobRun, desk: Desk) -> None:
    """The container was killed, so nobody gave the lock back."""
    assert holder(desk.aws) is not None
    refused = desk.launch("SM2A: build images")
    assert refused.status == "failed"
    assert refused.changed == []


def test_the_next_job_of_the_template_takes_the_lock_over(cancelled: JobRun, desk: Desk) -> None:
    following = desk.launch("SM2A: deploy", IMAGES)
    assert following.status == "successful", following.end()
    assert "Took over the run lock of" in " ".join(following.output.split())
    assert holder(desk.aws) is None


def test_nothing_is_left_to_change(cancelled: JobRun, desk: Desk) -> None:
    assert desk.launch("SM2A: deploy", IMAGES).changed == []
