# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of rules as a whole: they know the options, have sources, let defaults pass and never raise."""

from __future__ import annotations

import itertools
import random
from datetime import date
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import (
    aws_values,
    broker,
    plain_secrets,
    secrets,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import at_least, between, one_of
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import Rule, problems, same
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.stack_options import STACK_OPTIONS
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults, main_options, read_yaml, role_names

MODULES = (aws_values, secrets, plain_secrets, broker)
OPTIONS = {option for role in role_names() for option in main_options(role)} | set(STACK_OPTIONS)
RULES = [*aws_values.RULES, *broker.RULES]
JOINT_RULES = [*aws_values.JOINT_RULES, *broker.JOINT_RULES]
INVENTORIES = sorted(path for path in (PROJECT / "inventories").glob("*/*_vars/**/*.yml"))
ODD: list[Any] = [
    None,
    "",
    " ",
    0,
    -1,
    True,
    [],
    {},
    (),
    set(),
    [None],
    [[]],
    [{}],
    ["", None, {}, 5],
    {"a": None},
    {None: None},
    {1: 2},
    {"value_from": None},
    object(),
    "ü" * 300,
    "\ud800",
    b"a",
    date(2024, 1, 1),
    float("nan"),
    float("inf"),
    10**30,
    "a:b@c:/",
    "://",
    "[::1]/",
    "s3://",
    "/",
    "10.0.0.0/33",
    "fe80::1%eth0/64",
    [{"name": None, "queue": None, "environment": {1: 1, None: 2}, "policy_statements": [{}], "hold_seconds": "x"}],
    [{"protocol": [], "endpoint": {}, "ports": 5, "cidrs": 5}],
    {"g": {"n": {"value_from": {"file": 3}}}},
    {"address": 5, "port": "x", "master_secret_arn": []},
]


def every_problem(values: dict[str, Any]) -> list[str]:
    """What all files of rules say."""
    return [problem for module in MODULES for problem in module.problems(values)]


def literal(values: dict[str, Any] | None) -> dict[str, Any]:
    """The values without those that Ansible has yet to put together."""
    return {name: value for name, value in (values or {}).items() if "{{" not in str(value)}


def test_the_defaults_are_right() -> None:
    assert every_problem({}) == []
    assert (
        every_problem(literal({name: value for role in role_names() for name, value in defaults(role).items()})) == []
    )


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: "/".join(path.parts[-3:]))
def test_the_inventories_are_right(path: Any) -> None:
    assert every_problem(literal(read_yaml(path))) == []


def test_rules_are_about_options_that_there_are() -> None:
    assert {rule.option for rule in RULES} <= OPTIONS
    assert {option for rule in JOINT_RULES for option in rule.options} <= OPTIONS


def test_each_rule_has_a_source() -> None:
    for source in {rule.source for rule in RULES} | {rule.source for rule in JOINT_RULES}:
        assert source.startswith("https://") or (PROJECT / source).is_file()


@pytest.mark.parametrize("option", sorted(OPTIONS))
def test_odd_values_never_raise(option: str) -> None:
    for value in ODD:
        for problem in every_problem({"sm2a_name": "prod", option: value}):
            assert isinstance(problem, str)


def test_odd_values_together_never_raise() -> None:
    chance = random.Random(13)  # noqa: S311 (repeatable, not secret)
    for _time in range(300):
        every_problem({option: chance.choice(ODD) for option in chance.sample(sorted(OPTIONS), 40)})


def test_sentences_name_the_option_and_what_must_be() -> None:
    wrong = {"sm2a_name": "prod-", "database_port": 80, "network_cidr": "10.0.0.1/24", "airflow_worker_groups": []}
    found = every_problem(wrong)
    assert len(found) == len(wrong)
    assert all(problem.split(":")[0] in wrong and " must " in problem for problem in found)


def test_a_table_judges_only_values_that_are_there() -> None:
    rules = (*same("https://example.com", between(1, 2), "a", "b"), Rule("c", "https://example.com", at_least(5)))
    assert problems({}, rules) == []
    assert problems({"a": None, "d": 9}, rules) == []
    assert problems({"a": 3, "b": 2, "c": 4}, rules) == ["a: must be 1 to 2, not 3", "c: must be 5 or more, not 4"]


@pytest.mark.parametrize(
    ("judge", "value"), list(itertools.product([between(1, 2), at_least(1), one_of([1])], [True, "", []]))
)
def test_values_of_another_type_are_left_to_the_argument_spec(judge: Any, value: Any) -> None:
    assert judge(value) is None
