# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Connections and variables that DAGs read while they are imported.

Airflow asks this secrets backend before any other, so that also a read is seen that has a default.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from airflow.secrets import BaseSecretsBackend

from sm2a_runtime.dag_check.findings import Finding


class Read(NamedTuple):
    """Something that was read, and where in the DAGs."""

    what: str
    file: str
    line: int


class Reads(BaseSecretsBackend):  # type: ignore[misc]  # airflow has no types
    """Has nothing, and remembers what it was asked for, for all its instances."""

    folder = Path("/")
    seen: list[Read] = []  # noqa: RUF012  # shared on purpose: Airflow makes the instances

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        """Called for a connection."""
        self._remember(f"the connection {conn_id}")
        return None

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        """Called for a variable."""
        self._remember(f"the variable {key}")
        return None

    def _remember(self, what: str) -> None:
        # Airflow reads some by itself.
        if place := next(calls(self.folder, sys._getframe()), None):
            self.seen.append(Read(what, *place))


def calls(folder: Path, frame: FrameType | None) -> Iterator[tuple[str, int]]:
    """File and line of each call of code in the folder that is under way, the innermost first."""
    while frame is not None:
        file = frame.f_code.co_filename
        if Path(file).is_relative_to(folder):
            yield file, frame.f_lineno
        frame = frame.f_back


def findings(reads: list[Read]) -> list[Finding]:
    """What to say of them."""
    text = "reads {} while it is imported: at each parse, and not known to this test"
    return [Finding(read.file, read.line, text.format(read.what)) for read in reads]
