# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every file of the repository passes its linter; nothing is skipped."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.sm2a.airflow.tests.checks.run import run
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

TYPED = [
    "collections/ansible_collections/sm2a/airflow/extensions/eda",
    "collections/ansible_collections/sm2a/airflow/plugins",
    "docker/local_aws/sm2a_local_aws",
    "docker/autoscaler/sm2a_autoscaler",
    "docker/airflow/sm2a_runtime",
    "docker/sbom",
    "extensions/awx/execution-environment/install_collections.py",
    "tests",
    "tools",
]


HEADER = "# Copyright: SM2A contributors\n# SPDX-License-Identifier: Apache-2.0\n"


def tracked(pattern: str = "*") -> list[str]:
    """Tracked files, by their paths in the project."""
    command = ["git", "ls-files", "-z", "--", pattern]
    names = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    return [name for name in filter(None, names.split("\0")) if (PROJECT / name).is_file()]


def shell_scripts() -> list[str]:
    """Tracked files whose first line names a shell."""
    scripts = []
    for name in tracked():
        first = (PROJECT / name).open("rb").readline()
        if first.startswith(b"#!") and first.split(b"/")[-1].split()[-1] in (b"sh", b"bash"):
            scripts.append(name)
    return scripts


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", "."], id="ruff-check"),
        pytest.param(["ruff", "format", "--check", "."], id="ruff-format"),
        pytest.param(["mypy", *TYPED], id="mypy"),
        pytest.param(["yamllint", "--strict", "."], id="yamllint"),
        pytest.param(["ansible-lint"], id="ansible-lint"),
        pytest.param(["ansible-playbook", "--syntax-check", "-i", "inventories/local", "site.yml"], id="syntax"),
    ],
)
def test_linter_finds_nothing(command: list[str]) -> None:
    run(*command)


def test_shellcheck_finds_nothing() -> None:
    scripts = shell_scripts()
    assert ".ci/run" in scripts
    run("shellcheck", *scripts)


def test_every_python_file_names_its_license() -> None:
    files = {name: (PROJECT / name).read_text(encoding="utf-8") for name in tracked("*.py")}
    assert [name for name, text in files.items() if text and HEADER not in text] == []


def test_no_linter_of_playbooks_is_told_to_look_away() -> None:
    pattern = r"#\s*(noqa|yamllint disable)|(skip|warn)_list:"
    command = ["git", "grep", "-nE", pattern, "--", "*.yml", "*.yaml", ".ansible-lint", ".yamllint"]
    lenient = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert lenient.stdout == ""
