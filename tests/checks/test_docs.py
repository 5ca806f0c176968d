"""What is generated in docs/ is what its sources say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.checks.run import PROJECT, run
from ansible_collections.sm2a.airflow.tools.drawings import DOCS, source_comment


def pages(directory: Path) -> dict[str, str]:
    """The text of every Markdown file of ``directory`` by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.md")}


def test_role_pages_are_those_of_the_argument_specs(tmp_path: Path) -> None:
    run(sys.executable, "tools/role_pages.py", str(tmp_path))
    assert pages(PROJECT / "docs/roles") == pages(tmp_path), "run `make docs`"


def test_changelog_fragments_are_well_formed() -> None:
    run("antsibull-changelog", "lint")


@pytest.mark.parametrize("source", [pytest.param(path, id=path.name) for path in sorted(DOCS.glob("*.dot"))])
def test_drawing_is_that_of_its_source(source: Path) -> None:
    assert source_comment(source) in source.with_suffix(".svg").read_text(encoding="utf-8"), "run `make docs`"
