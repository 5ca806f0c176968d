# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""AWS does not know at once what was just made, as the table of the package propagation says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.faults.conftest import Bench, Reference
from ansible_collections.sm2a.airflow.tests.faults.resources import difference
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support import late_answers
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import fault_proxy

pytestmark = pytest.mark.chain("faults")

# The first call of each kind is told that there is no such thing; what is asked for later than this is known.
LATE_CALLS, LATE_SECONDS = 1, 10
LATE = re.compile(r"late: (\w+):(\w+) about (\w+)")


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """An account that lags."""
    directory = tmp_path_factory.mktemp("late")
    flags = late_answers.flags(directory, LATE_CALLS, LATE_SECONDS)
    with runs.control_plane(directory, *flags) as aws, fault_proxy(aws.endpoint) as proxy:
        bench = Bench(aws, proxy, Counter(), {})
        bench.prepare()
        yield bench


def answers(bench: Bench) -> Counter[str]:
    """How often each call was told that there is no such thing."""
    log = (bench.aws.directory / "local_aws.txt").read_text(encoding="utf-8")
    return Counter(f"{service}:{call}" for service, call, _create in LATE.findall(log))


@pytest.fixture(scope="module")
def site(late: Bench, record: Callable[[str, dict[str, Any]], None]) -> runs.PlaybookRun:
    run = late.play("site")
    told = answers(late)
    figures = {"seconds": run.seconds, "late answers": sum(told.values()), "calls": dict(sorted(told.items()))}
    record("late_answers", figures)
    return run


def test_a_deployment_waits(reference: Reference, late: Bench, site: runs.PlaybookRun) -> None:
    assert site.code == 0, site.end()
    assert difference(reference.account, late.account()) == {}


@pytest.mark.parametrize(
    "call", ["acm:DescribeCertificate", "ecs:DescribeTasks", "ecs:UpdateCluster", "elbv2:CreateListener", "iam:GetRole"]
)
def test_answers_were_late(late: Bench, site: runs.PlaybookRun, call: str) -> None:
    assert answers(late)[call] > 0


def test_the_next_run_changes_nothing(late: Bench, site: runs.PlaybookRun) -> None:
    again = late.play("site")
    assert (again.code, again.changed) == (0, []), again.end()
