# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A value gets the type that its option declares, at every depth, or is refused by name."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.conversion import Conversion, nulls

GROUPS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [{"name": "default"}],
    "options": {
        "name": {"type": "str", "required": True},
        "size": {"type": "int"},
        "cool": {"type": "bool", "default": False},
        "kind": {"type": "str", "choices": ["a", "b"]},
        "labels": {"type": "dict"},
        "schedules": {"type": "list", "elements": "dict", "options": {"from": {"type": "str"}, "min": {"type": "int"}}},
    },
}
WORDS = {"type": "list", "elements": "str"}
PORTS = {"type": "list", "elements": "int"}
YES_AND_NO = "option: must be text in quotes; without them YAML reads yes, no, on and off as true and false"
WORD = "option: is the word None, which stands for no value; give it one, or take the name away"
SECRET = {"type": "dict", "no_log": True}


@pytest.mark.parametrize(
    ("value", "option", "expected"),
    [
        ("false", {"type": "bool"}, False),
        ("no", {"type": "bool", "default": True}, False),
        ("", {"type": "bool", "default": True}, True),
        ("  ", {"type": "bool", "default": True}, True),
        (None, {"type": "bool", "default": True}, True),
        ("", {"type": "str"}, None),
        ("", {"type": "str", "default": "postgres"}, "postgres"),
        (" 17 ", {"type": "int"}, 17),
        (443, PORTS, [443]),
        ("1024", {"type": "int"}, 1024),
        (17, {"type": "str"}, "17"),
        ("0.5", {"type": "float"}, 0.5),
        ("a, b", WORDS, ["a", "b"]),
        ("a\nb\n", WORDS, ["a", "b"]),
        ("[a, b]", WORDS, ["a", "b"]),
        ("- a\n- b\n", WORDS, ["a", "b"]),
        ("", WORDS, None),
        ("443, 8443", PORTS, [443, 8443]),
        ("443", PORTS, [443]),
        (["443"], PORTS, [443]),
        ('{"owner": "data"}', {"type": "dict"}, {"owner": "data"}),
        ("owner: data\nteam: a", {"type": "dict"}, {"owner": "data", "team": "a"}),
        ({"a": {"b": "1"}}, {"type": "dict"}, {"a": {"b": "1"}}),
        ("", GROUPS, [{"name": "default", "cool": False}]),
        ([{"name": "a", "size": "3", "cool": "no"}], GROUPS, [{"name": "a", "size": 3, "cool": False}]),
        ([{"name": "a", "size": "", "cool": None}], GROUPS, [{"name": "a", "cool": False}]),
        ("[{name: a, size: 3}]", GROUPS, [{"name": "a", "size": 3, "cool": False}]),
        (
            [{"name": "a", "schedules": [{"from": "08:00", "min": "2"}], "labels": {"x": "1"}}],
            GROUPS,
            [{"name": "a", "cool": False, "schedules": [{"from": "08:00", "min": 2}], "labels": {"x": "1"}}],
        ),
        ({"a": "b"}, {"type": "raw"}, {"a": "b"}),
    ],
)
def test_converted(value: Any, option: dict[str, Any], expected: Any) -> None:
    conversion = Conversion("option", value, option)
    assert conversion.problems == []
    assert conversion.value == expected
    assert type(conversion.value) is type(expected)


@pytest.mark.parametrize(
    ("value", "option", "problem"),
    [
        ("perhaps", {"type": "bool"}, "option: must be true or false, not 'perhaps'"),
        ("many", {"type": "int"}, "option: must be a whole number, not 'many'"),
        (True, {"type": "int"}, "option: must be a whole number, not true or false"),
        ("2.5", {"type": "int"}, "option: must be a whole number, not '2.5'"),
        (["a"], {"type": "str"}, "option: must be text, not a list"),
        ({"a": 1}, {"type": "int"}, "option: must be a whole number, not a dictionary"),
        ("c", {"type": "str", "choices": ["a", "b"]}, "option: must be one of a, b, not c"),
        ("owner", {"type": "dict"}, "option: must be a dictionary, or text that is one in YAML or JSON"),
        ("a: b", GROUPS, "option: must be a list, or text that is one in YAML or JSON"),
        ({"a": "b"}, WORDS, "option: must be a list, not a dictionary"),
        (["a", ""], WORDS, "option, item 2: is empty"),
        ([{"name": "a", "size": "x"}], GROUPS, "option, group a, size: must be a whole number, not 'x'"),
        ([{"size": 1}], GROUPS, "option, item 1, name: is required"),
        ([{"name": "a", "siez": 1}], GROUPS, "option, group a: there is no siez in it; did you mean size?"),
        ([{"name": "a", "kind": "c"}], GROUPS, "option, group a, kind: must be one of a, b, not c"),
        (["a"], GROUPS, "option, item 1: must be a dictionary, or text that is one in YAML or JSON"),
        (
            [{"name": "a", "schedules": [{"min": "two"}]}],
            GROUPS,
            "option, group a, schedules, item 1, min: must be a whole number, not 'two'",
        ),
        ("Tr0ub4dor: x", SECRET, "option: must be a dictionary, not text (not shown: it may be secret)"),
        (["Tr0ub4dor"], SECRET, "option: must be a dictionary, not a list"),
        ("Tr0ub4dor", {"type": "int", "no_log": True}, "option: the value is refused (not shown: it may be secret)"),
        (17.1, {"type": "str"}, "option: must be text in quotes; without them YAML reads 1.10 as 1.1"),
        (
            True,
            {"type": "str"},
            YES_AND_NO,
        ),
        (date(2024, 1, 1), {"type": "str"}, "option: must be text, not a date; write it in quotes"),
        (float("inf"), {"type": "int"}, "option: must be a whole number, not a fraction"),
        (
            "None",
            {"type": "str"},
            WORD,
        ),
        (17, {"type": "dict"}, "option: must be a dictionary, not a number"),
    ],
)
def test_refused(value: Any, option: dict[str, Any], problem: str) -> None:
    assert Conversion("option", value, option).problems == [problem]


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (None, "option"),
        ({"core": None}, "option, core"),
        ([{"name": "a", "min": None}], "option, group a, min"),
        ([None], "option, item 1"),
    ],
)
def test_a_null_is_named(value: Any, where: str) -> None:
    assert list(nulls("option", value)) == [f"{where}: has no value (null in YAML); give it one, or take the name away"]


def test_what_is_no_null_is_not_named() -> None:
    assert list(nulls("option", {"a": [0, "", False, {}], "b": "{{ none }}"})) == []
