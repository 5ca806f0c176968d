# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Three of ten calls are throttled or end in a server error."""

from __future__ import annotations

import pytest
from ansible_collections.sm2a.airflow.tests.faults.conftest import Bench, Reference
from ansible_collections.sm2a.airflow.tests.faults.resources import difference
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

pytestmark = pytest.mark.chain("faults")

THROTTLED = 0.15
# Of those that are not throttled.
FAILED = 0.15 / (1 - THROTTLED)


def test_a_deployment_converges(bench: Bench, reference: Reference, empty_account: None) -> None:
    bench.proxy.book.set([Rule("throttle", probability=THROTTLED), Rule("server_error", probability=FAILED)])
    site = bench.play("site", timeout=900)
    struck = [entry for entry in bench.proxy.book.entries if entry.kind]
    calls = len(bench.proxy.book.entries)
    bench.proxy.book.set([])
    assert site.code == 0, site.end()
    assert 0.25 < len(struck) / calls < 0.35
    assert difference(reference.account, bench.account()) == {}
