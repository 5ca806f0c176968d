# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""For every variable of every role: a wrong value and a misspelt name are refused, naming the variable."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.conversion import Conversion
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.names import unknown_variables
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.stack_options import STACK_OPTIONS
from ansible_collections.sm2a.airflow.tests.support.role_files import main_options, role_names

SPECS = {"sm2a": STACK_OPTIONS, **{role: main_options(role) for role in role_names()}}
WRONG: dict[str, Any] = {
    "str": ["a", "list"],
    "path": ["a", "list"],
    "int": "many",
    "float": "half",
    "bool": "perhaps",
    "dict": ["a list"],
    "list": {"a": "mapping"},
}
VARIABLES = [(role, name) for role, options in SPECS.items() for name in options]


@pytest.mark.parametrize(("role", "name"), VARIABLES)
def test_wrong_type_is_refused(role: str, name: str) -> None:
    wrong = WRONG[SPECS[role][name]["type"]]
    problems = Conversion(name, wrong, SPECS[role][name]).problems
    assert [problem.split(":")[0] for problem in problems] == [name]


@pytest.mark.parametrize(("role", "name"), [pair for pair in VARIABLES if "choices" in SPECS[pair[0]][pair[1]]])
def test_value_that_is_no_choice_is_refused(role: str, name: str) -> None:
    problems = Conversion(name, "no-such-choice", SPECS[role][name]).problems
    assert [re.split("[:,]", problem)[0] for problem in problems] == [name]


@pytest.mark.parametrize(("role", "name"), VARIABLES)
def test_default_and_right_name_are_accepted(role: str, name: str) -> None:
    default = SPECS[role][name].get("default")
    if not (isinstance(default, str) and "{{" in default):
        assert Conversion(name, default, SPECS[role][name]).problems == []
    assert unknown_variables([name], SPECS) == []


@pytest.mark.parametrize(("role", "name"), VARIABLES)
def test_misspelt_name_is_refused(role: str, name: str) -> None:
    misspelt = name[:-1] + "_x"
    problems = unknown_variables([misspelt], SPECS)
    assert len(problems) == 1
    assert problems[0].startswith(f"{misspelt}: ")
