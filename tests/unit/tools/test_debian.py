# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Programs of Debian's packages are found, or installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tools.debian import MissingProgramError, installed


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose only program is an apt-get that notes its arguments and installs ``painter`` on the way."""
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin/apt-get", f'echo "$@" >>{tmp_path}/asked; cp /bin/true {tmp_path}/bin/painter')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return tmp_path


def program(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def test_program_that_is_there_is_not_installed(machine: Path) -> None:
    program(machine / "bin/painter", "exit 0")
    assert installed("painter", "paint-tools") == str(machine / "bin/painter")
    assert not (machine / "asked").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_missing_program_is_installed(machine: Path) -> None:
    assert installed("painter", "paint-tools") == str(machine / "bin/painter")
    asked = (machine / "asked").read_text(encoding="utf-8").splitlines()
    assert [line.split()[-2:] for line in asked] == [["DPkg::Lock::Timeout=300", "update"], ["install", "paint-tools"]]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_failure_says_what_apt_said(machine: Path) -> None:
    program(machine / "bin/apt-get", "echo no such package >&2; exit 100")
    with pytest.raises(
        MissingProgramError, match=r"painter is missing, also after apt-get install paint-tools:\nno such"
    ):
        installed("painter", "paint-tools")


def test_without_rights_the_package_is_named(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingProgramError, match=r"missing\. Debian and Ubuntu: apt-get install paint-tools"):
        installed("painter", "paint-tools")


def test_newest_of_several_versions_counts(tmp_path: Path) -> None:
    for version in ("9", "16", "9.6"):
        program(tmp_path / "lib" / version / "bin/initdb", "exit 0")
    assert installed(f"{tmp_path}/lib/*/bin/initdb", "postgresql") == f"{tmp_path}/lib/16/bin/initdb"
