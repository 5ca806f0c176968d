# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Connections and variables that Secrets Manager or Airflow refuses; no sentence repeats a value."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.filter.named_secrets import NAME
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import secrets
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.secrets import problems

# Stands in values only, so that no sentence may contain it.
CANARY = "birdsong"
LONGEST = "x" * 65536
RIGHT: dict[str, Any] = {
    "text": CANARY,
    "space": " ",
    "longest": LONGEST,
    "number": 5,
    "boolean": False,
    "list": [1, None, {"a": [CANARY]}],
    "dictionary": {"a": 1, "b": None, "c": {"d": 1.5}},
    "empty list": [],
    "empty dictionary": {},
    "number keys": {1: "a", 2: "b"},
    "more than value_from": {"value_from": {}, "a": 1},
}
RIGHT_CONNECTIONS: dict[str, Any] = {
    "uri": f"postgres://user:{CANARY}@db.example.com:5432/a",
    "json": '{"conn_type": "http"}',
    "dictionary": {"conn_type": "http", "password": CANARY, "port": 443, "extra": {"a": True}},
}
WRONG: dict[str, tuple[Any, str]] = {
    "nothing": (None, "must have a value, not none"),
    "empty": ("", "must not be empty"),
    "too long": (CANARY + LONGEST, "must have at most 65536 bytes in Secrets Manager, not 65544"),
    "too long in bytes": ("ü" * 32769, "not 65538"),
    "too long as JSON": ({"a": CANARY * 8192}, "must have at most 65536 bytes"),
    "date": (date(2024, 1, 1), "is a date; put it in quotes"),
    "time": (datetime(2024, 1, 1, 12, 30), "is a date; put it in quotes"),
    "hour": (time(12, 30), "is a date; put it in quotes"),
    "date inside": ({"a": [{"since": date(2024, 1, 1)}]}, "a[0].since is a date; put it in quotes"),
    "date as a key": ({"a": {date(2024, 1, 1): CANARY}}, "a.2024-01-01 is a date; put it in quotes"),
    "binary": ({"a": CANARY.encode()}, "a must be what JSON can hold, not a bytes"),
    "set": ({CANARY}, "must be what JSON can hold, not a set"),
    "not a number": ({"a": [float("nan")]}, "a[0] must be a number that JSON has"),
    "infinite": ({"a": float("inf")}, "a must be a number that JSON has"),
    "keys of two types": ({1: CANARY, "a": CANARY}, "with text as keys"),
}
WRONG_CONNECTIONS: dict[str, tuple[Any, str]] = {
    "number": (5432, "must be a URI in quotes or a dictionary"),
    "boolean": (True, "must be a URI in quotes or a dictionary"),
    "list": ([CANARY], "must be a URI in quotes or a dictionary"),
    "empty dictionary": ({}, "must not be an empty dictionary"),
}
RIGHT_SOURCES = [
    {"environment": "WAREHOUSE"},
    {"file": "/run/secrets/warehouse"},
    {"file": "~/warehouse"},
    {"secret": "team/warehouse"},
    {"secret": "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-AbCdEf", "key": "password"},
    {"environment": "WAREHOUSE", "file": None, "secret": ""},
]
WRONG_SOURCES: list[tuple[Any, str]] = [
    (None, "value_from must be a dictionary"),
    (CANARY, "value_from must be a dictionary"),
    ({}, "must have exactly one of environment, file, secret, not none"),
    ({"environment": "A", "file": "/a"}, "must have exactly one of environment, file, secret, not environment, file"),
    ({"environment": ""}, "must have exactly one"),
    ({"key": "password"}, "must have exactly one"),
    ({"environment": 5}, "environment of value_from must be text"),
    ({"environment": "A", "vault": "b"}, "must have only environment, file, secret and key, not vault"),
    ({"environment": "A", "key": "password"}, "must only be given with secret, not with environment"),
    ({"file": "secrets/a"}, "must be an absolute path"),
]
NAMES = ["a", "team-a.db", "a_b+c=d@e", 5, "x" * 400]
NO_NAMES: list[tuple[Any, str]] = [
    ("team a/db", "must have only letters, digits and _+=.@-"),
    ("a/b", "must have only letters"),
    ("", "must have only letters"),
    ("größe", "must have only letters"),
    ("a\n", "must have only letters"),
    (True, "put it in quotes"),
    (None, "put it in quotes"),
    ("x" * 513, "must have at most"),
]
OPTIONS = ["secrets_connections", "secrets_variables"]
GROUP_OPTIONS = ["secrets_group_connections", "secrets_group_variables"]


def shaped(option: str, secrets: Any) -> dict[str, Any]:
    """The secrets as this option has them, of all or of one group."""
    return {"sm2a_name": "prod", option: {"team": secrets} if option in GROUP_OPTIONS else secrets}


def cases(option: str) -> tuple[dict[str, Any], dict[str, tuple[Any, str]]]:
    """What is right and what is wrong in this option."""
    if option.endswith("variables"):
        return RIGHT, WRONG
    return RIGHT_CONNECTIONS, WRONG | WRONG_CONNECTIONS


@pytest.mark.parametrize("option", [*OPTIONS, *GROUP_OPTIONS])
def test_values_that_can_be_stored_pass(option: str) -> None:
    right, _wrong = cases(option)
    for value in right.values():
        assert problems(shaped(option, {"name": value})) == []
    for source in RIGHT_SOURCES:
        assert problems(shaped(option, {"name": {"value_from": source}})) == []
    for name in NAMES:
        assert problems(shaped(option, {name: "http://a"})) == []


@pytest.mark.parametrize("option", [*OPTIONS, *GROUP_OPTIONS])
def test_values_that_cannot_be_stored_are_refused(option: str) -> None:
    _right, wrong = cases(option)
    where = f"{option}.team.name: " if option in GROUP_OPTIONS else f"{option}.name: "
    for value, said in wrong.values():
        [problem] = problems(shaped(option, {"name": value}))
        assert problem.startswith(where)
        assert said in problem
        assert CANARY not in problem


@pytest.mark.parametrize("option", [*OPTIONS, *GROUP_OPTIONS])
@pytest.mark.parametrize(("source", "said"), WRONG_SOURCES)
def test_sources_of_a_wrong_shape_are_refused(option: str, source: Any, said: str) -> None:
    [problem] = problems(shaped(option, {"name": {"value_from": source}}))
    assert said in problem
    assert CANARY not in problem


@pytest.mark.parametrize("option", [*OPTIONS, *GROUP_OPTIONS])
@pytest.mark.parametrize(("name", "said"), NO_NAMES)
def test_names_that_secrets_manager_does_not_take_are_refused(option: str, name: Any, said: str) -> None:
    [problem] = problems(shaped(option, {name: CANARY}))
    assert problem.startswith(option)
    assert said in problem
    assert CANARY not in problem


def test_the_whole_name_counts() -> None:
    room = 512 - len("prod/connections/")
    assert problems(shaped("secrets_connections", {"x" * room: "http://a"})) == []
    [problem] = problems(shaped("secrets_connections", {"x" * (room + 1): "http://a"}))
    assert f"must have at most {room} characters with prod/connections/ before it, not {room + 1}" in problem


@pytest.mark.parametrize("option", GROUP_OPTIONS)
def test_names_of_groups_are_judged(option: str) -> None:
    [problem] = problems({option: {"team a": {"name": CANARY}}})
    assert problem == (
        f"{option}: the name of group 'team a' must have only letters, digits and _+=.@-, which Secrets Manager allows"
    )


@pytest.mark.parametrize("option", [*OPTIONS, *GROUP_OPTIONS])
@pytest.mark.parametrize("value", [None, {}, "", [], 5])
def test_what_is_not_there_is_not_judged(option: str, value: Any) -> None:
    assert problems({option: value}) == []
    if option in GROUP_OPTIONS:
        assert problems({option: {"team": value}}) == []


def test_every_wrong_value_is_named() -> None:
    found = problems({"secrets_variables": {"a": "", "b": None}, "secrets_connections": {"c d": CANARY}})
    assert [problem.split(":")[0] for problem in found] == [
        "secrets_connections",
        "secrets_variables.a",
        "secrets_variables.b",
    ]


def test_names_are_those_that_the_role_stores() -> None:
    assert secrets.NAME.pattern == NAME.pattern
