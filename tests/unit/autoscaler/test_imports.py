# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Imports between the packages of the autoscaler run in one direction only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sm2a_autoscaler

ROOT = Path(sm2a_autoscaler.__file__).parent
# What each package may import besides itself; the modules beside the packages may import everything.
ALLOWED = {
    "decision": set(),
    "metadata": {"decision"},
    "fleet": {"decision", "metadata"},
    "look_ahead": {"decision", "metadata"},
}


def imported_packages(file: Path) -> Iterator[str]:
    """The packages, or root modules, of the autoscaler that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.startswith("sm2a_autoscaler."):
                yield name.split(".")[1]


def test_every_package_has_a_rule() -> None:
    assert {init.parent.name for init in ROOT.glob("*/__init__.py")} == ALLOWED.keys()


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_a_package_imports_only_what_it_may(package: str) -> None:
    imported = {(file.name, name) for file in (ROOT / package).glob("*.py") for name in imported_packages(file)}
    assert {item for item in imported if item[1] not in ALLOWED[package] | {package}} == set()
