# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A job that is cancelled in the middle: its container ends, and the environment is not lost."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.awx_jobs.conftest import ENVIRONMENT, IMAGES, Desk, prepare
from ansible_collections.sm2a.airflow.tests.awx_jobs.controller import JobRun
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

pytestmark = pytest.mark.engine

BUCKET, KEY = f"{ENVIRONMENT}-run-lock-000000000000", "run-lock.json"


def holder(aws: runs.ControlPlane) -> dict[str, Any] | None:
    """The lock as S3 has it."""
    s3 = aws.client("s3")
    try:
        return dict(json.loads(s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()))
    except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
        return None


def at(task: str) -> Callable[[Mapping[str, Any], Callable[[], None]], None]:
    """Cancel when a task begins whose name has this text."""

    def when(event: Mapping[str, Any], cancel: Callable[[], None]) -> None:
        if event["event"] == "playbook_on_task_start" and task in event["event_data"]["task"]:
            cancel()

    return when


@pytest.fixture(scope="module")
def cancelled(desk: Desk) -> JobRun:
    prepare(desk.aws)
    return desk.launch("SM2A: deploy", IMAGES, when=at("Create the queues"))


def test_the_container_is_gone(cancelled: JobRun, desk: Desk) -> None:
    assert cancelled.status == "canceled", cancelled.end()
    assert "PLAY RECAP" not in cancelled.output
    left = subprocess.run(
        ["podman", "ps", "--all", "--format", "{{.Names}}"], check=True, capture_output=True, text=True
    )
    assert f"ansible_runner_{cancelled.number}" not in left.stdout.split()


def test_the_next_job_says_who_holds_the_lock(cancelled: JobRun, desk: Desk) -> None:
    """The container was killed, so nobody gave the lock back."""
    assert holder(desk.aws) is not None
    refused = desk.launch("SM2A: deploy", IMAGES)
    assert refused.status == "failed"
    assert refused.changed == []
    [said] = refused.failures
    assert "Another run is changing this environment" in said
    assert "playbooks/unlock.yml" in said


def test_unlocked_it_is_deployed_to_the_end(cancelled: JobRun, desk: Desk) -> None:
    unlocked = desk.launch("SM2A: unlock")
    assert unlocked.status == "successful", unlocked.end()
    assert holder(desk.aws) is None
    again = desk.launch("SM2A: deploy", IMAGES)
    assert again.status == "successful", again.end()
    assert holder(desk.aws) is None
