# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""meta/runtime.yml and the sanity ignore files name exactly the modules that are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import read_yaml

MODULES = sorted(path for path in (PROJECT / "plugins/modules").glob("*.py") if path.name != "__init__.py")


def speaks_to_aws(module: Path) -> bool:
    """Whether the module is built on amazon.aws, and so has region, endpoint and credentials."""
    source = module.read_text(encoding="utf-8")
    return "ansible_collections.amazon.aws" in source or "module_utils.common.aws import" in source


def test_action_group_holds_every_aws_module() -> None:
    group = read_yaml(PROJECT / "meta/runtime.yml")["action_groups"]["aws"]
    listed = [entry for entry in group if isinstance(entry, str)]
    assert listed == sorted(module.stem for module in MODULES if speaks_to_aws(module))


@pytest.mark.parametrize("core", ["2.19", "2.21"])
def test_ignores_are_only_the_licence_line(core: str) -> None:
    path = PROJECT / f"tests/sanity/ignore-{core}.txt"
    lines = [line.split("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines()]
    rule = "validate-modules:missing-gplv3-license"
    kinds = ("connection", "inventory", "lookup")
    plugins = [*(path for kind in kinds for path in sorted((PROJECT / "plugins" / kind).glob("*.py"))), *MODULES]
    assert [line for line in lines if line] == [[str(path.relative_to(PROJECT)), rule] for path in plugins]
