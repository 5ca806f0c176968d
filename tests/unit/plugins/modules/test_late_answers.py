# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every module on an AWS that does not know at once what was just made (tests/support/late_answers.py)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.table import CREATES
from ansible_collections.sm2a.airflow.tests.support import late_answers
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.support.emulators import local_aws
from ansible_collections.sm2a.airflow.tests.unit.plugins.late_steps import STEPS

MODULES = [name for name, _arguments in STEPS]
# A call of each kind is told twice that there is no such thing. An error that stays is met again by the third run.
LATE_CALLS, LATE_SECONDS, RUNS = 2, 120, 9
NAP_SECONDS = 0.05
# These make nothing that a later call of their own, or of a later module, could miss.
PROMPT = ("cloudwatch_alarms", "wafv2_web_acl")


class Steps:
    """The steps so far: results by module, and the error of the first run where it failed."""

    def __init__(self) -> None:
        self.results: dict[str, support.Result] = {}
        self.errors: dict[str, str] = {}
        self.pauses: dict[str, list[float]] = {}

    def sleep(self, name: str) -> Callable[[float], None]:
        """A sleep that is noted, and short."""

        def nap(seconds: float) -> None:
            self.pauses[name].append(seconds)
            threading.Event().wait(min(seconds, NAP_SECONDS))

        return nap


@pytest.fixture(scope="session")
def late_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of the local AWS, which has each late answer."""
    return tmp_path_factory.mktemp("late_aws") / "local_aws.log"


@pytest.fixture(scope="session")
def aws_endpoint(late_log: Path) -> Iterator[str]:
    with local_aws(late_log.parent, *late_answers.flags(late_log.parent, LATE_CALLS, LATE_SECONDS)) as url:
        yield url


@pytest.fixture(scope="module")
def steps(aws_endpoint: str) -> Iterator[Steps]:
    """Each module is run until it succeeds, so that one that fails is no reason for the next one to fail."""
    done = Steps()
    connection = {"region": support.REGION, "endpoint_url": aws_endpoint}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-real-secret-key")
        for name, arguments in STEPS:
            done.pauses[name] = []
            patch.setattr("time.sleep", done.sleep(name))
            for _run in range(RUNS):
                try:
                    done.results.setdefault(name, support.run(name, {**connection, **arguments(done.results)}))
                    break
                except (support.ModuleFailedError, KeyError) as error:
                    done.errors.setdefault(name, str(error))
        yield done


@pytest.mark.parametrize("name", MODULES)
def test_a_module_waits_for_what_is_late(steps: Steps, name: str) -> None:
    assert name not in steps.errors, steps.errors[name]
    assert steps.results[name]["changed"]
    assert "warnings" not in steps.results[name]


@pytest.mark.parametrize("name", [name for name in MODULES if name not in PROMPT])
def test_there_was_something_to_wait_for(steps: Steps, name: str) -> None:
    assert steps.pauses[name]


def test_the_table_is_not_about_nothing(steps: Steps, late_log: Path) -> None:
    """What was answered late, of what the table says; ``test_new_account`` has what services make for themselves."""
    told = re.findall(r"late: (\w+):(\w+) about (\w+)", late_log.read_text(encoding="utf-8"))
    met = {
        late
        for create in CREATES
        for late in create.late
        for service, operation, kind in told
        if (service, kind) == (late.service, create.operation) and late.fits(operation)
    }
    unmet = [
        f"{late.service} after {create.operation}: {late.says or late.codes or late.missing}"
        for create in CREATES
        for late in create.late
        if late not in met and not create.by_service
    ]
    assert not unmet, "\n".join(unmet)


@pytest.mark.parametrize(("name", "arguments"), STEPS, ids=MODULES)
def test_the_next_run_changes_nothing(run_module: support.RunModule, steps: Steps, name: str, arguments: Any) -> None:
    again = run_module(name, arguments(steps.results))
    assert not again["changed"], again.get("diff")
