# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The roles and modules of this checkout, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT


def role_names() -> list[str]:
    """Every folder of roles/ that holds a role."""
    return sorted(path.parents[1].name for path in (PROJECT / "roles").glob("*/tasks/main.yml"))


@cache
def read_yaml(path: Path) -> Any:
    """The document in ``path``; shared between tests, so never change it."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def main_options(role: str) -> dict[str, dict[str, Any]]:
    """Options of the role's main entry point."""
    options: dict[str, dict[str, Any]]
    options = read_yaml(PROJECT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return options


def defaults(role: str) -> dict[str, Any]:
    """The role's defaults/main.yml; ``{}`` when it has none."""
    path = PROJECT / "roles" / role / "defaults/main.yml"
    return (read_yaml(path) or {}) if path.exists() else {}
