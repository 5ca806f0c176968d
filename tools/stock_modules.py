# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""docs/modules.yml: how the modules of amazon.aws that overlap ours fare on the ladder of tests/stock_modules."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]
TABLE = PROJECT / "docs/modules.yml"
MODULES = PROJECT / "plugins/modules"
# The two that pyproject.toml names.
VERSIONS = ("10.1", "11.4")


@dataclass(frozen=True)
class Defect:
    """What is wrong on one rung; ``only`` names the version that has it, "" is both."""

    rung: str
    sign: str
    words: str
    only: str = ""


@dataclass(frozen=True)
class Verdict:
    """One stock module beside ours."""

    stock: str
    own: str
    defects: tuple[Defect, ...]

    @property
    def stays(self) -> bool:
        """Whether our module is still there."""
        return (MODULES / f"{self.own}.py").exists()

    def of(self, version: str) -> dict[str, Defect]:
        """The defects of a version (10.1), by rung."""
        return {defect.rung: defect for defect in self.defects if defect.only in ("", version)}

    def told(self, version: str) -> str:
        """The same as a cell of the table: rungs that share words stand together."""
        rungs: dict[str, list[str]] = {}
        for defect in self.of(version).values():
            rungs.setdefault(defect.words, []).append(defect.rung)
        return "; ".join(f"**{', '.join(names)}**: {words}" for words, names in rungs.items()) or "passes"

    def reason(self) -> str:
        """What the documentation of our module says about theirs, in Ansible's markup; "" when it says nothing."""
        if not self.stays:
            return ""
        return next(
            (
                text
                for text in description(self.own)
                if text.startswith("Unlike") and f"M(amazon.aws.{self.stock})" in text
            ),
            "",
        )


def verdicts() -> list[Verdict]:
    """All of the table."""
    table: list[dict[str, Any]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return [
        Verdict(row["stock"], row["own"], tuple(Defect(rung, **defect) for rung, defect in row["defects"].items()))
        for row in table
    ]


def reasons() -> list[tuple[str, str]]:
    """Our modules that stay, each with a reason; the same reason against several of theirs stands once."""
    return list(dict.fromkeys((verdict.own, verdict.reason()) for verdict in verdicts() if verdict.stays))


def description(module: str) -> list[str]:
    """The paragraphs of a module's documentation."""
    tree = ast.parse((MODULES / f"{module}.py").read_text(encoding="utf-8"))
    [text] = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "DOCUMENTATION"
        and isinstance(node.value, ast.Constant)
    ]
    paragraphs: list[str] = yaml.safe_load(str(text))["description"]
    return paragraphs
