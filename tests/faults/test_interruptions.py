# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs that are killed in a call, over and over until one gets to the end; and resources that are deleted by hand."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.faults.conftest import Bench, Reference
from ansible_collections.sm2a.airflow.tests.faults.deletions import EARLY, LATE, delete
from ansible_collections.sm2a.airflow.tests.faults.resources import difference
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

pytestmark = pytest.mark.chain("faults")

SEED = 3
# Changes that a run makes before it is killed.
FEWEST, MOST = 5, 45
KILLS = 12
TRAP_SECONDS = 300


def kill_when_trapped(bench: Bench) -> Callable[[subprocess.Popen[bytes]], None]:
    """Kill the run when the proxy keeps a reply; let it go when it ends by itself."""

    def watch(process: subprocess.Popen[bytes]) -> None:
        for _step in range(TRAP_SECONDS * 10):
            if process.poll() is not None:
                return
            if bench.proxy.trapped.wait(0.1):
                runs.kill(process)
                return

    return watch


def test_a_run_killed_over_and_over_converges(
    bench: Bench, reference: Reference, empty_account: None, record: Callable[[str, dict[str, Any]], None]
) -> None:
    chance = random.Random(SEED)  # noqa: S311  No cryptography.
    killed: list[dict[str, Any]] = []
    for _attempt in range(KILLS):
        changes = chance.randint(FEWEST, MOST)
        bench.proxy.book.set([])
        bench.proxy.trap(changes)
        site = bench.play("site", watch=kill_when_trapped(bench))
        done = bench.proxy.book.entries
        bench.proxy.trap(None)
        if site.code == 0:
            break
        assert site.code == -9, site.end()
        last = next(entry.call for entry in reversed(done) if not entry.call.reads)
        killed.append({"after": changes, "at": f"{last.service}:{last.action}", "seconds": site.seconds})
    record("kills", {"killed": killed})
    assert site.code == 0, f"{KILLS} kills were not enough"
    assert len(killed) >= 4
    assert difference(reference.account, bench.account()) == {}
    # Each run took the lock of the one that was killed before it.
    assert "Took over the run lock of" in site.output
    assert "is no longer running" in site.output


@pytest.mark.parametrize("part", ["early", "late"])
def test_what_was_deleted_by_hand_is_made_again(bench: Bench, reference: Reference, part: str) -> None:
    deleted = delete(bench.client, EARLY if part == "early" else LATE)
    assert len(deleted) >= 8
    assert difference(reference.account, bench.account()) != {}
    site = bench.play("site")
    assert site.code == 0, site.end()
    assert difference(reference.account, bench.account()) == {}


def test_a_half_deleted_environment_is_removed(bench: Bench, reference: Reference) -> None:
    delete(bench.client, [*EARLY[::2], *LATE[1::2]])
    removal = bench.play("teardown", extra=runs.DESTROY)
    assert removal.code == 0, removal.end()
    assert bench.account() == {}
    again = bench.play("teardown", extra=runs.DESTROY)
    assert (again.code, again.changed) == (0, []), again.end()
