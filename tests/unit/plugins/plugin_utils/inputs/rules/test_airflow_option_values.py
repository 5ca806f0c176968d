# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of Airflow's options of another type than Airflow declares, in airflow_config and in environments."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_config import (
    config_problems,
    environment_problems,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_names import OPTIONS
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_types import TYPES
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_values import type_of

QUOTES = "must be text in quotes"
WHOLE, NUMBER, SWITCH = "must be a whole number", "must be a number", "must be true or false"
# An option of each type -> values that are right, and values that are wrong with what is said.
CASES: dict[tuple[str, str], tuple[list[Any], list[tuple[Any, str]]]] = {
    ("core", "parallelism"): (
        [64, "64", " 64 ", 0, "", 2.0, "1e2"],
        [
            ("many", WHOLE),
            (True, WHOLE),
            (2.5, WHOLE),
            ("2.5", WHOLE),
            ("8 tasks", WHOLE),
            ("None", WHOLE),
            ("inf", WHOLE),
        ],
    ),
    ("scheduler", "scheduler_heartbeat_sec"): ([5, "5"], [("5s", WHOLE)]),
    ("scheduler", "scheduler_idle_sleep_time"): (
        [1, 0.5, "0.5", "1e-1"],
        [("half", NUMBER), (True, NUMBER), ("0,5", NUMBER)],
    ),
    ("scheduler", "catchup_by_default"): (
        [True, False, "true", "FALSE", "t", "f", 1, 0, "1", "True # as ever"],
        [("yes", SWITCH), ("on", SWITCH), (2, SWITCH), ("never", SWITCH), (1.0, SWITCH)],
    ),
    ("core", "load_examples"): ([True, "False"], []),
    ("api", "expose_config"): ([True, "non-sensitive-only"], []),
    ("core", "default_timezone"): (
        ["utc", "Europe/Berlin", 5],
        [(True, QUOTES), (1.1, QUOTES), (date(2024, 1, 1), "must be text, not a date; write it in quotes")],
    ),
    # Nobody in the image knows their types.
    ("my_company", "enabled"): ([True, 1.5, "x"], [([1], "must be a string, number or boolean")]),
    ("celery_broker_transport_options", "max_retries"): ([3, 1.5, True], []),
}
RIGHT = [(section, option, value) for (section, option), (right, _wrong) in CASES.items() for value in right]
WRONG = [(section, option, *case) for (section, option), (_right, wrong) in CASES.items() for case in wrong]


def variable(section: str, option: str) -> str:
    """The environment variable of an option."""
    return f"AIRFLOW__{section}__{option}".upper()


@pytest.mark.parametrize(("section", "option", "value"), RIGHT)
def test_right_values_pass(section: str, option: str, value: Any) -> None:
    assert config_problems({section: {option: value}}) == []
    assert environment_problems("environment", {variable(section, option): value}) == []


@pytest.mark.parametrize(("section", "option", "value", "said"), WRONG)
def test_wrong_values_are_named_and_not_repeated(section: str, option: str, value: Any, said: str) -> None:
    [in_config] = config_problems({section: {option: value}})
    assert in_config.startswith(f"airflow_config.{section}.{option}: {said}")
    [in_environment] = environment_problems("environment", {variable(section, option): value})
    assert in_environment.startswith(f"environment.{variable(section, option)}: {said}")
    if isinstance(value, str):
        assert value not in in_config.partition(": ")[2]


@pytest.mark.parametrize(
    ("value", "said"), [(True, QUOTES), (1.1, QUOTES), (date(2024, 1, 1), "must be text, not a date")]
)
def test_other_variables_are_text(value: Any, said: str) -> None:
    [problem] = environment_problems("environment", {"RELEASE": value})
    assert problem.startswith(f"environment.RELEASE: {said}")


@pytest.mark.parametrize("value", ["yes", "1.10", 17, "", "2024-01-01"])
def test_text_and_whole_numbers_are_values_of_variables(value: Any) -> None:
    assert environment_problems("environment", {"RELEASE": value}) == []


def test_types_are_of_options_that_there_are_and_each_has_one() -> None:
    found = [
        (section, option)
        for sections in TYPES.values()
        for section, options in sections.items()
        for option in options.split()
    ]
    assert len(found) == len(set(found))
    assert [one for one in found if one[1] not in OPTIONS[one[0]].split()] == []
    assert {type_of(*one) for one in found} == {"boolean", "integer", "float", "switch"}
