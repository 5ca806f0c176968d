# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What moto does otherwise than AWS, and how a run shows it: the only differences that are taken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.sm2a.testing.plugins.plugin_utils.changes import Change, leaves

MOTO = "https://github.com/getmoto/moto/blob/5.2.5/moto/"


@dataclass(frozen=True)
class Gap:
    """``sign`` is a regular expression of the line of a difference (rung, task, resource, attribute)."""

    sign: str
    lacks: str
    source: str

    def explains(self, line: str) -> bool:
        """Whether this is why the line is there."""
        return re.search(self.sign, line) is not None


GAPS: tuple[Gap, ...] = ()


def of_repetition(changes: Iterable[Change]) -> list[str]:
    """What a run that should change nothing changed: a line for each attribute, or one for a change without any."""
    lines = []
    for change in changes:
        before, after = dict(leaves(change.before)), dict(leaves(change.after))
        paths = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
        lines += [f"{change.name()}: {path}: {before.get(path)} became {after.get(path)}" for path in paths]
        lines += [] if paths else [f"{change.name()}: changed"]
    return lines


def unexplained(lines: Iterable[str], gaps: Iterable[Gap]) -> list[str]:
    """The lines for which no gap is a reason."""
    known = list(gaps)
    return [line for line in lines if not any(gap.explains(line) for gap in known)]


def closed(lines: Iterable[str], gaps: Iterable[Gap]) -> list[Gap]:
    """The gaps that no line shows any more."""
    seen = list(lines)
    return [gap for gap in gaps if not any(gap.explains(line) for line in seen)]
