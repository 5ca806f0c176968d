# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Imports between the packages of each program run in one direction only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import sm2a_autoscaler
import sm2a_local_aws
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

# What each package may import besides itself.
ALLOWED: dict[Path, dict[str, set[str]]] = {
    Path(sm2a_autoscaler.__file__).parent: {
        "decision": set(),
        "metadata": set(),
        "fleet": {"decision", "metadata"},
        "look_ahead": {"decision", "metadata"},
    },
    Path(sm2a_local_aws.__file__).parent: {
        "acm": {"patching"},
        "cloudwatch": {"patching", "elbv2", "fargate", "rds"},
        "ec2": {"patching", "iam"},
        "ecs": {"patching", "iam", "elbv2"},
        "ecs_exec": {"patching", "iam", "ecs", "fargate"},
        "elbv2": {"patching"},
        "fargate": {"patching", "iam", "ecs"},
        "http": {"patching", "iam", "ecs", "ecs_exec", "limits", "quotas"},
        "iam": {"patching"},
        "limits": set(),
        "load_balancer": {"patching", "elbv2", "ecs", "fargate"},
        "patching": set(),
        "quotas": {"patching", "iam", "ecs"},
        "rds": {"patching", "fargate", "quotas"},
        "waiting_times": {"patching", "acm", "ecs", "iam"},
    },
    PROJECT / "docker/airflow/sm2a_runtime": {
        "celery": set(),
        "dag_check": set(),
        "database": {"celery", "front_door"},
        "front_door": set(),
        "metrics": set(),
        "project": set(),
        "worker": {"celery"},
    },
}
CASES = [pytest.param(root, package, id=f"{root.name}-{package}") for root in ALLOWED for package in ALLOWED[root]]


def packages(root: Path) -> set[str]:
    """Names of the packages of a program."""
    return {init.parent.name for init in root.glob("*/__init__.py")}


def imported_packages(root: Path, file: Path) -> Iterator[str]:
    """The packages of its program that a file imports; modules beside the packages do not count."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            program, _dot, rest = name.partition(".")
            package = rest.partition(".")[0]
            if program == root.name and package in packages(root):
                yield package


@pytest.mark.parametrize("root", [pytest.param(root, id=root.name) for root in ALLOWED])
def test_every_package_has_a_rule_and_no_rules_are_a_circle(root: Path) -> None:
    assert packages(root) == ALLOWED[root].keys()
    TopologicalSorter(ALLOWED[root]).prepare()


@pytest.mark.parametrize(("root", "package"), CASES)
def test_a_package_imports_what_it_may(root: Path, package: str) -> None:
    found = {(file.name, name) for file in (root / package).rglob("*.py") for name in imported_packages(root, file)}
    assert {name for _file, name in found} - {package} == ALLOWED[root][package], found
