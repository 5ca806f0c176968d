# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of users that the engine refuses or cuts, and names that two users would have."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.database_users import (
    DEFAULTS,
    FURTHER,
    problems,
)
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

ROLE = PROJECT / "roles/database"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"database_username": "a" * 19, "database_engine": "mysql"}, "at most 18"),
        ({"database_result_name": "a" * 26, "database_engine": "mysql"}, "at most 25"),
        ({"database_username": "a" * 50}, "at most 49"),
        ({"database_result_name": "a" * 57, "database_engine": "postgres"}, "at most 56"),
        ({"database_result_name": "airflow"}, "'airflow' would be the name of 2 users"),
        ({"database_master_username": "airflow"}, "'airflow' would be the name of 2 users"),
        ({"database_result_name": "airflow_triggerer"}, "'airflow_triggerer' would be the name of 2 users"),
        ({"database_username": "a", "database_master_username": "a_autoscaler"}, "'a_autoscaler' would be"),
    ],
)
def test_wrong_names_are_refused(values: dict[str, Any], said: str) -> None:
    [problem] = problems(values)
    assert said in problem
    assert problem.split(":")[0].split(",")[0] in DEFAULTS


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"database_engine": "mysql"},
        {"database_username": "a" * 18, "database_result_name": "b" * 25, "database_engine": "mysql"},
        {"database_username": "a" * 49, "database_result_name": "b" * 56},
    ],
)
def test_right_names_pass(values: dict[str, Any]) -> None:
    assert problems(values) == []


def test_the_role_has_these_names() -> None:
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
    assert {name: defaults[name] for name in DEFAULTS} == DEFAULTS
    variables = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))
    made = {value for name, value in variables.items() if name.endswith("_username") and name.startswith("__database")}
    inputs = {variable: variable.replace("_", "_inputs.", 1) for variable in FURTHER}
    assert made == {f"{{{{ {inputs[variable]} }}}}{end}" for variable, ends in FURTHER.items() for end in ends}
