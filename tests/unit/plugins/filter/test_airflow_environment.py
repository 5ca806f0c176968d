# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter airflow_environment."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.sm2a.airflow.plugins.filter.airflow_environment import airflow_environment


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        (64, "64"),
        (True, "True"),
        (False, "False"),
        ({"imports": ["x"]}, '{"imports": ["x"]}'),
        ("true", "true"),
    ],
)
def test_values(value: Any, text: str) -> None:
    assert airflow_environment({"core": {"some_option": value}}) == {"AIRFLOW__CORE__SOME_OPTION": text}


def test_several_sections() -> None:
    assert sorted(airflow_environment({"core": {"a": 1, "b": 2}, "celery": {"c": 3}})) == [
        "AIRFLOW__CELERY__C",
        "AIRFLOW__CORE__A",
        "AIRFLOW__CORE__B",
    ]


@pytest.mark.parametrize("wrong", [["core"], {"core": "parallelism=64"}, None])
def test_anything_but_sections_of_options_is_refused(wrong: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="must be a dictionary"):
        airflow_environment(wrong)
