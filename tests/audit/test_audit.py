# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The default deployment meets every control, and every control fails on an environment that does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.sm2a.airflow.tests.audit import more_twins
from ansible_collections.sm2a.airflow.tests.audit.twins import TWINS
from ansible_collections.sm2a.airflow.tests.support.control_plane import ARTIFACTS
from ansible_collections.sm2a.airflow.tools.audit.controls import CONTROLS
from ansible_collections.sm2a.airflow.tools.audit.environment import Environment
from ansible_collections.sm2a.airflow.tools.audit.exceptions import EXCEPTIONS
from ansible_collections.sm2a.airflow.tools.audit.report import audit, failures, reasons, table

pytestmark = pytest.mark.chain("audit")

BY_ID = {one.id: one for one in CONTROLS}
# The default deployment is the bad twin of these.
UNMET = {key for key in EXCEPTIONS if " " not in key}
assert more_twins.SAFE_CONTAINER


def fresh(environment: Environment) -> Environment:
    """The same environment with nothing read yet."""
    return replace(environment, _clients={})


def test_the_default_deployment_meets_every_control(environment: Environment) -> None:
    outcomes = audit(environment, CONTROLS)
    ARTIFACTS.mkdir(exist_ok=True)
    (ARTIFACTS / "audit.txt").write_text(f"{table(outcomes)}\n\n{reasons(outcomes)}\n", encoding="utf-8")
    assert not failures(outcomes), failures(outcomes)
    # A control that looks at nothing proves nothing; no secret of the default deployment has a rotation function.
    assert {one.control.id for one in outcomes if not one.looked_at} == {"SecretsManager.2"}


def test_every_control_has_a_twin_or_a_reason() -> None:
    assert len(CONTROLS) == len(BY_ID)
    assert set(BY_ID) == set(TWINS) | UNMET
    assert not set(TWINS) & UNMET
    assert all(one.next_step and one.title for one in CONTROLS)


@pytest.mark.parametrize("identity", TWINS)
def test_control_fails_on_a_bad_twin(environment: Environment, identity: str) -> None:
    before = audit(fresh(environment), [BY_ID[identity]])[0]
    assert not before.problems, "an earlier twin spoilt this one as well"
    after = audit(TWINS[identity](fresh(environment)), [BY_ID[identity]])[0]
    assert after.problems
    assert BY_ID[identity].next_step in failures([after])


@pytest.mark.parametrize("identity", sorted(UNMET))
def test_an_exception_is_one(environment: Environment, identity: str) -> None:
    strict = audit(fresh(environment), [BY_ID[identity]], strict=True)[0]
    assert strict.problems, "the default deployment meets it now: take it out of exceptions.py"
