# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""AWS does the first call of every action that changes something, and the reply is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.faults.conftest import Bench, Reference
from ansible_collections.sm2a.airflow.tests.faults.resources import difference
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

pytestmark = pytest.mark.chain("faults")

LOST = Rule("lost", action="(?!Describe|Get|Head|List|BatchGet).*", calls=1, each_action=True)
CREATES = ("Create", "Run", "Request", "Import", "Allocate", "Register", "Put")


@pytest.fixture(scope="module")
def site(bench: Bench, empty_account: None, record: Callable[[str, dict[str, Any]], None]) -> runs.PlaybookRun:
    """A deployment with lost replies."""
    bench.proxy.book.set([LOST])
    run = bench.play("site")
    struck = bench.proxy.book.struck("lost")
    creates = sorted(f"{service}:{action}" for service, action in struck if action.startswith(CREATES))
    others = sorted(f"{service}:{action}" for service, action in struck if not action.startswith(CREATES))
    record("lost_replies", {"seconds": run.seconds, "creates": creates, "other changes": others})
    bench.proxy.book.set([])
    return run


def test_the_run_converges(site: runs.PlaybookRun) -> None:
    assert site.code == 0, site.end()


def test_every_create_lost_a_reply(bench: Bench, reference: Reference, site: runs.PlaybookRun) -> None:
    recorded = (runs.ARTIFACTS / "faults_lost_replies.json").read_text(encoding="utf-8")
    creates = {f"{service}:{action}" for service, action in reference.calls if action.startswith(CREATES)}
    assert len(creates) >= 25
    assert [create for create in sorted(creates) if f'"{create}"' not in recorded] == []


def test_there_is_no_twin(bench: Bench, reference: Reference, site: runs.PlaybookRun) -> None:
    assert difference(reference.account, bench.account()) == {}


def test_the_next_run_changes_nothing(bench: Bench, site: runs.PlaybookRun) -> None:
    again = bench.play("site")
    assert (again.code, again.changed) == (0, []), again.end()


def test_a_removal_with_lost_replies_leaves_nothing(bench: Bench, site: runs.PlaybookRun) -> None:
    bench.proxy.book.set([LOST])
    removal = bench.play("teardown", extra=runs.DESTROY)
    assert removal.code == 0, removal.end()
    assert len(bench.proxy.book.struck("lost")) >= 20
    bench.proxy.book.set([])
    assert bench.account() == {}
