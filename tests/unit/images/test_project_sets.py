# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The list of what projects often want, and the commands of the Dockerfile with which it is installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import Engine
from ansible_collections.sm2a.airflow.tests.projects import installation
from ansible_collections.sm2a.airflow.tests.projects.sets import ProjectSet, debian_packages, requirement_sets

PROJECT = ProjectSet("one", ("pandas", "polars"), ("jq",), "jq --version")
# Writes its arguments and the lists of the project down, and answers as its folder says.
ENGINE = """#!/bin/sh
printf '%s\\n' "$@" > {folder}/arguments
for word in "$@"; do case "$word" in *.txt:*) cat "${{word%%:*}}" >> {folder}/lists;; esac; done
cat {folder}/answer
exit $(cat {folder}/status)
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "podman").write_text(ENGINE.format(folder=tmp_path), encoding="utf-8")
    (tmp_path / "podman").chmod(0o755)
    (tmp_path / "status").write_text("0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def install(folder: Path) -> installation.Outcome:
    return installation.install(Engine("podman"), "image", PROJECT, folder)


def test_there_are_twenty_of_each() -> None:
    for sets in (debian_packages(), requirement_sets()):
        assert len({one.name for one in sets}) == len(sets) >= 20
        assert all(one.check and (one.requirements or one.packages) for one in sets)


def test_the_commands_are_those_of_the_build() -> None:
    debian, python = installation.install_commands()
    assert "python -m sm2a_runtime.project.packages /opt/airflow/project/packages.txt ${EXTRA_PACKAGES}" in debian
    assert "python -m sm2a_runtime.project.requirements /opt/airflow/project/requirements.txt" in python
    assert not [command for command in (debian, python) if "--mount" in command]
    # Each argument that they use has a value in the container.
    assert all(f"${{{name}}}" in debian or f'"${name}"' in python for name in installation.ARGUMENTS)


def test_the_container_has_the_lists_of_the_project_and_tells_the_outcome(engine: Path) -> None:
    (engine / "answer").write_text('noise\n{"seconds": 12.5, "of_cpu": 9, "mebibytes": 80}\n')
    assert install(engine) == installation.Outcome(seconds=12.5, of_cpu=9, mebibytes=80)
    assert sorted((engine / "lists").read_text().split()) == ["jq", "pandas", "polars"]
    given = json.loads((engine / "arguments").read_text().splitlines()[-1])
    assert given == [installation.install_commands(), PROJECT.check, list(installation.AS_THE_USER)]


def test_why_it_failed_is_told(engine: Path) -> None:
    (engine / "answer").write_text('{"problem": "E: Unable to locate package jq"}\n')
    assert install(engine).problem == "E: Unable to locate package jq"


def test_a_container_that_cannot_start_is_a_failure(engine: Path) -> None:
    (engine / "answer").write_text("")
    (engine / "status").write_text("125")
    (engine / "podman").write_text("#!/bin/sh\necho no such image >&2\nexit 125\n")
    assert install(engine).problem == "no such image\n"
