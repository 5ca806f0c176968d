# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Two runs at once: one works, the other is refused with the name of the first."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest
from ansible_collections.sm2a.airflow.tests.faults.conftest import MORE, Bench
from ansible_collections.sm2a.airflow.tests.faults.locks import lock_of, move_elsewhere
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

pytestmark = pytest.mark.chain("faults")

LOCK_SECONDS = 900


def test_the_second_run_is_refused(bench: Bench, empty_account: None) -> None:
    others: list[runs.PlaybookRun] = []
    holders: list[int] = []

    def meanwhile(first: subprocess.Popen[bytes]) -> None:
        """When the first run has the lock, stop it there, however slow the machine is, and start others."""
        while lock_of(bench) is None and first.poll() is None:
            time.sleep(0.05)
        first.send_signal(signal.SIGSTOP)
        holders.append(first.pid)
        others.append(bench.aws.play("teardown", extra={**MORE, **runs.DESTROY}))
        others.append(bench.aws.play("site", "--check", extra=MORE))
        runs.kill(first)

    bench.play("site", watch=meanwhile, extra={"sm2a_lock_timeout": LOCK_SECONDS})
    refused, checked = others
    assert refused.code != 0
    assert refused.changed == []
    assert "Another run is changing this environment" in refused.message
    assert f"(process {holders[0]}, playbook site.yml) since " in refused.message
    assert "playbooks/unlock.yml" in refused.message
    # Check mode tells of it and goes on.
    assert checked.code == 0, checked.end()
    assert "the predicted changes may be wrong" in checked.output


def test_a_lock_from_elsewhere_is_given_back_by_hand(bench: Bench) -> None:
    """The run before was killed here; this one died on another machine."""
    holder = lock_of(bench)
    assert holder is not None
    assert holder["timeout_seconds"] == LOCK_SECONDS
    move_elsewhere(bench, user="ada")
    refused = bench.aws.play("teardown", extra={**MORE, **runs.DESTROY})
    assert "ada@build7" in refused.message
    unlocked = bench.aws.play("unlock")
    assert unlocked.code == 0, unlocked.end()
    assert "ada@build7" in unlocked.output
    assert unlocked.summary[:3] == [
        f"unlock.yml for {runs.NAME} in {runs.REGION}",
        "Changes: 1 deleted",
        "- run locks: 1 deleted",
    ]
    assert lock_of(bench) is None


def test_the_lock_goes_with_the_environment(bench: Bench) -> None:
    removal = bench.aws.play("teardown", extra={**MORE, **runs.DESTROY})
    assert removal.code == 0, removal.end()
    assert bench.account() == {}


def test_without_the_lock(bench: Bench) -> None:
    unlocked = bench.aws.play("teardown", extra={**MORE, **runs.DESTROY, "sm2a_lock": False})
    assert (unlocked.code, unlocked.changed) == (0, []), unlocked.end()
    assert not any("lock" in task for task in unlocked.tasks("ok"))
