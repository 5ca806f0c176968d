# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers that YAML reads otherwise than they are written are named with both, as Ansible loads them from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs import as_written
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.as_written import misread

WHOLE, TEXT, FREE = {"type": "int"}, {"type": "str"}, {"type": "dict"}
FLOAT = {"type": "float"}
GROUPS = {
    "type": "list",
    "elements": "dict",
    "options": {"name": {"type": "str"}, "max": {"type": "int"}, "environment": {"type": "dict"}},
}
PORTS = {"type": "list", "elements": "int"}
IN_LINES = "\n  - name: a\n    environment:\n      BUILD: 010 # build"
SECRETS = {"type": "dict", "no_log": True}

pytestmark = pytest.mark.skipif(
    not as_written.KEEPS_PLACES, reason="this ansible-core does not say where a value is from"
)


def said(folder: Path, written: str, option: dict[str, Any]) -> list[str]:
    """What is said of ``option: <written>`` in a file of variables."""
    path = folder / "variables.yml"
    path.write_text(f"before: 1\noption: {written}\n", encoding="utf-8")
    as_written._lines.cache_clear()
    return list(misread("option", DataLoader().load_from_file(str(path))["option"], option))


@pytest.mark.parametrize(
    ("written", "option", "sentence"),
    [
        ("010", WHOLE, "option: is written 010, which YAML reads as 8"),
        ("010", TEXT, "option: is written 010, which YAML reads as 8"),
        ("12:30", TEXT, "option: is written 12:30, which YAML reads as 750"),
        ("0x1f", WHOLE, "option: is written 0x1f, which YAML reads as 31"),
        ("0b11", WHOLE, "option: is written 0b11, which YAML reads as 3"),
        ("1_000", WHOLE, "option: is written 1_000, which YAML reads as 1000"),
        ("[1, 012]", PORTS, "option, item 2: is written 012, which YAML reads as 10"),
        ("{owner: 007}", FREE, "option, owner: is written 007, which YAML reads as 7"),
        ("{release: 1.10}", FREE, "option, release: is written 1.10, which YAML reads as 1.1"),
        ("{a: {b: [1.50]}}", FREE, "option, a, b, item 1: is written 1.50, which YAML reads as 1.5"),
        ("[{name: a, max: 010}]", GROUPS, "option, group a, max: is written 010, which YAML reads as 8"),
        (IN_LINES, GROUPS, "option, group a, environment, BUILD: is written 010, which YAML reads as 8"),
    ],
)
def test_another_number_is_named(tmp_path: Path, written: str, option: dict[str, Any], sentence: str) -> None:
    read = sentence.rpartition(" ")[2]
    assert said(tmp_path, written, option) == [f"{sentence}; put it in quotes, or write {read}"]


@pytest.mark.parametrize(
    ("written", "option"),
    [
        ("10", WHOLE),
        ("0", WHOLE),
        ("-1", WHOLE),
        ("+5", WHOLE),
        ('"010"', TEXT),
        ("0o17", TEXT),
        ("1.10", FLOAT),
        ("{a: 1.5, b: '1.10', c: 7, d: true, e: 2024-01-01}", FREE),
        ("&here 010", WHOLE),
        ('"{{ 010 }}"', WHOLE),
    ],
)
def test_numbers_as_everybody_writes_them_pass(tmp_path: Path, written: str, option: dict[str, Any]) -> None:
    assert said(tmp_path, written, option) == []


def test_a_secret_is_not_repeated(tmp_path: Path) -> None:
    [sentence] = said(tmp_path, "{pin: 04711}", SECRETS)
    assert sentence.startswith("option, pin: ")
    assert "4711" not in sentence
    assert "in quotes" in sentence


def test_of_a_value_from_elsewhere_nothing_is_said(tmp_path: Path) -> None:
    assert list(misread("option", 8, WHOLE)) == []
    path = tmp_path / "variables.yml"
    path.write_text("option: 010\n", encoding="utf-8")
    as_written._lines.cache_clear()
    value = DataLoader().load_from_file(str(path))["option"]
    path.write_text("$ANSIBLE_VAULT;1.1;AES256\n010\n", encoding="utf-8")
    assert list(misread("option", value, WHOLE)) == []
    path.unlink()
    as_written._lines.cache_clear()
    assert list(misread("option", value, WHOLE)) == []
