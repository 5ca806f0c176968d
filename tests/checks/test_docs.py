# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is generated in docs/ is what its sources say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.checks.run import run
from ansible_collections.sm2a.airflow.tools.drawings import DOCS, source_comment


def test_pages_are_those_of_their_sources(tmp_path: Path) -> None:
    run(sys.executable, "-m", "tools.pages", str(tmp_path))
    pages = {path.relative_to(tmp_path): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.md")}
    assert Path("permissions.md") in pages
    for name, text in pages.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"run `make docs` for {name}"
    assert {path.name for path in (DOCS / "roles").iterdir()} == {name.name for name in pages if name.parent.name}


def test_changelog_fragments_are_well_formed() -> None:
    run("antsibull-changelog", "lint")


@pytest.mark.parametrize("source", [pytest.param(path, id=path.name) for path in sorted(DOCS.glob("*.dot"))])
def test_drawing_is_that_of_its_source(source: Path) -> None:
    assert source_comment(source) in source.with_suffix(".svg").read_text(encoding="utf-8"), "run `make docs`"
