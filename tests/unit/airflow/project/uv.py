# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A uv of paper."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

# Writes each call down with the files that it names, and fails, with a message, where the name of its folder says so.
PROGRAM = """#!/usr/bin/env python3
import json, sys
from pathlib import Path
words = sys.argv[1:]
named = [Path(word) for word in words if word.endswith(".txt")]
files = {{path.name: path.read_text() for path in named if path.is_file()}}
with open({log!r}, "a") as log:
    log.write(json.dumps([words, files]) + "\\n")
failing = Path({failing!r})
if failing.exists():
    word, message = failing.read_text().split("\\n")
    if word in words:
        sys.exit(message)
"""


class Call(NamedTuple):
    """Arguments, and the content of the files that they name by the files' names."""

    arguments: list[str]
    files: dict[str, str]


class Uv:
    """What it was called with; ``fail`` makes it fail, with a message, when one of its arguments is that word."""

    def __init__(self, folder: Path) -> None:
        self._log, self._failing = folder / "uv.log", folder / "uv.failing"
        self._log.touch()
        program = folder / "bin" / "uv"
        program.parent.mkdir()
        program.write_text(PROGRAM.format(log=str(self._log), failing=str(self._failing)), encoding="utf-8")
        program.chmod(0o755)
        self.path = program.parent

    def fail(self, word: str, message: str = "error: No solution found") -> None:
        self._failing.write_text(f"{word}\n{message}", encoding="utf-8")

    @property
    def calls(self) -> list[Call]:
        lines: list[list[Any]] = [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]
        return [Call(*line) for line in lines]


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Uv:
    """It takes the place of uv until the end of the test."""
    uv = Uv(folder)
    monkeypatch.setenv("PATH", f"{uv.path}:/usr/bin:/bin")
    return uv
