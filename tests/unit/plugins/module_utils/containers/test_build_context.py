# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The content hash follows what a checkout carries and nothing else, and the staged copy holds exactly that."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.build_context import (
    collect,
    content_hash,
    overlaid,
    stage,
)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A small build context."""
    root = tmp_path / "context"
    (root / "code/deep").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\n")
    (root / "code/main.py").write_text("print(1)\n")
    (root / "code/deep/data").write_bytes(b"\0\1")
    (root / "code/run").write_text("#!/bin/sh\n")
    (root / "code/run").chmod(0o755)
    (root / "code/link").symlink_to("main.py")
    (root / "README.md").write_text("read me\n")
    return root


def hashed(context: Path, **settings: str) -> str:
    return content_hash(collect(context), settings)


def touch(context: Path) -> None:
    os.utime(context / "code/main.py", (1, 1))


def tighten_umask(context: Path) -> None:
    (context / "code/main.py").chmod(0o600)
    (context / "code/deep").chmod(0o700)


def leave_caches(context: Path) -> None:
    (context / "code/__pycache__").mkdir()
    (context / "code/__pycache__/main.cpython-311.pyc").write_bytes(b"x")
    (context / ".git").mkdir()
    (context / ".git/HEAD").write_text("x")


@pytest.mark.parametrize("change", [touch, tighten_umask, leave_caches])
def test_what_differs_between_machines_does_not_count(context: Path, change: Callable[[Path], None]) -> None:
    before = hashed(context)
    change(context)
    assert hashed(context) == before


def edit(context: Path) -> None:
    (context / "code/main.py").write_text("print(2)\n")


def rename(context: Path) -> None:
    (context / "code/main.py").rename(context / "code/other.py")


def make_executable(context: Path) -> None:
    (context / "code/main.py").chmod(0o755)


def retarget_link(context: Path) -> None:
    (context / "code/link").unlink()
    (context / "code/link").symlink_to("run")


def add(context: Path) -> None:
    (context / "code/deep/new").write_text("")


@pytest.mark.parametrize("change", [edit, rename, make_executable, retarget_link, add])
def test_what_a_checkout_carries_counts(context: Path, change: Callable[[Path], None]) -> None:
    before = hashed(context)
    change(context)
    assert hashed(context) != before


def test_settings_count(context: Path) -> None:
    assert hashed(context, platform="linux/amd64") != hashed(context, platform="linux/arm64")


def test_include_and_exclude(context: Path) -> None:
    paths = [entry.path for entry in collect(context, ["code", "Dockerfile"], ["code/deep", "ru?"])]
    assert paths == ["Dockerfile", "code/link", "code/main.py"]


def test_missing_included_path_is_named(context: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        collect(context, ["absent"])


@pytest.mark.parametrize("target", ["code/main.py", "code/new.py"])
def test_a_file_takes_the_place_of_another_or_is_added(context: Path, tmp_path: Path, target: str) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("print(2)\n")
    entries = overlaid(collect(context), mine, target)
    assert [entry.path for entry in entries] == sorted({entry.path for entry in collect(context)} | {target})
    assert {entry.path: entry.content() for entry in entries}[target] == b"print(2)\n"
    assert content_hash(entries, {}) != hashed(context)


def test_stage_copies_exactly_the_entries(context: Path, tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    staged.mkdir()
    stage(collect(context, exclude=["*.md"]), staged)
    assert [entry.path for entry in collect(staged)] == [
        "Dockerfile",
        "code/deep/data",
        "code/link",
        "code/main.py",
        "code/run",
    ]
    assert content_hash(collect(staged), {}) == content_hash(collect(context, exclude=["*.md"]), {})


def test_stage_fixes_modes_and_times(context: Path, tmp_path: Path) -> None:
    tighten_umask(context)
    staged = tmp_path / "staged"
    staged.mkdir()
    stage(collect(context), staged)
    assert (staged / "code/main.py").stat().st_mode & 0o777 == 0o644
    assert (staged / "code/run").stat().st_mode & 0o777 == 0o755
    assert (staged / "code/deep").stat().st_mode & 0o777 == 0o755
    assert (staged / "code/main.py").stat().st_mtime == 0
