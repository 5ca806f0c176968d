# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The verdicts on the modules of amazon.aws in docs/modules.yml are those of the installed version."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.stock_modules import cases, ladder
from ansible_collections.sm2a.airflow.tests.support import control_plane
from ansible_collections.sm2a.airflow.tools import stock_modules
from ansible_collections.sm2a.airflow.tools.stock_modules import Verdict

VERDICTS = stock_modules.verdicts()


@pytest.fixture(scope="module")
def version() -> str:
    """The installed version of amazon.aws, such as 10.1."""
    code = import_module("ansible_collections.amazon.aws.plugins.module_utils.common")
    return str(code.AMAZON_AWS_COLLECTION_VERSION).rpartition(".")[0]


@pytest.fixture(scope="module")
def symptoms(tmp_path_factory: pytest.TempPathFactory) -> ladder.Symptoms:
    with control_plane.control_plane(tmp_path_factory.mktemp("stock_modules")) as aws:
        return ladder.Climb(aws, cases.make_cases).climb()


def unlike(symptom: str, verdict: Verdict, rung: str, version: str) -> str:
    """How what was seen on a rung differs from the verdict; "" when it does not."""
    defect = verdict.of(version).get(rung)
    name = f"amazon.aws.{verdict.stock}"
    if defect is None:
        return f"{name} fails {rung}: {symptom}" if symptom else ""
    if not symptom:
        return f"{name} now passes {rung}: take the defect out of docs/modules.yml; is it time that a role calls it?"
    return "" if re.search(defect.sign, symptom) else f"{name} fails {rung} in another way: {symptom}"


@pytest.mark.parametrize("verdict", [pytest.param(verdict, id=verdict.stock) for verdict in VERDICTS])
def test_the_verdict_holds(symptoms: ladder.Symptoms, version: str, verdict: Verdict) -> None:
    assert version in stock_modules.VERSIONS
    seen = {rung: symptom for (module, rung), symptom in symptoms.items() if module == verdict.stock}
    assert verdict.of(version).keys() <= seen.keys(), "the table has a rung that the module does not climb"
    told = [unlike(symptom, verdict, rung, version) for rung, symptom in seen.items()]
    assert [one for one in told if one] == []


def test_every_module_that_climbs_has_a_verdict(symptoms: ladder.Symptoms) -> None:
    assert {module for module, _rung in symptoms} == {verdict.stock for verdict in VERDICTS}


def test_a_mended_defect_is_told() -> None:
    verdict = Verdict("x", "y", (stock_modules.Defect("diff", "no diff", "shows none"),))
    assert unlike("no diff", verdict, "diff", "11.4") == ""
    assert "amazon.aws.x now passes diff" in unlike("", verdict, "diff", "11.4")
    assert "in another way" in unlike("fails", verdict, "diff", "11.4")
    assert unlike("", verdict, "apply", "11.4") == ""
    assert "amazon.aws.x fails apply: no" in unlike("no", verdict, "apply", "11.4")


@pytest.mark.parametrize("verdict", [pytest.param(verdict, id=verdict.stock) for verdict in VERDICTS])
def test_a_module_of_ours_that_stays_says_why(verdict: Verdict) -> None:
    if verdict.stays:
        assert verdict.reason(), f"{verdict.own} does not say: Unlike M(amazon.aws.{verdict.stock})"


def test_every_module_of_ours_with_a_partner_is_in_the_table() -> None:
    own = {verdict.own for verdict in VERDICTS}
    named = {
        path.stem
        for path in Path(stock_modules.MODULES).glob("*.py")
        if any(text.startswith("Unlike") for text in stock_modules.description(path.stem))
    }
    assert named <= own
