# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The lists of sets.yml, as projects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("sets.yml")


@dataclass(frozen=True)
class ProjectSet:
    """Python and Debian packages of a project, and a shell command that fails where they cannot be used."""

    name: str
    requirements: tuple[str, ...]
    packages: tuple[str, ...]
    check: str

    def write(self, folder: Path) -> None:
        """Make it a project directory, as images_project_directory names one."""
        for name, entries in (("requirements.txt", self.requirements), ("packages.txt", self.packages)):
            (folder / name).write_text("".join(f"{entry}\n" for entry in entries), encoding="utf-8")


def debian_packages() -> list[ProjectSet]:
    """Each is a set of its own."""
    return [ProjectSet(name, (), (name,), check) for name, check in _lists()["debian_packages"].items()]


def requirement_sets() -> list[ProjectSet]:
    """Those with Python packages."""
    return [
        ProjectSet(name, tuple(one["requirements"]), tuple(one.get("packages", ())), one["check"])
        for name, one in _lists()["requirement_sets"].items()
    ]


def _lists() -> dict[str, Any]:
    lists: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return lists
