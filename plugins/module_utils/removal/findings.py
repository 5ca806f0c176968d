# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is found about a removal, in sentences, and how numbers are said in them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

NAMES_SHOWN = 3
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


@dataclass(frozen=True)
class Findings:
    """``obstacles`` are what AWS would refuse, ``lost`` what is gone afterwards, ``kept`` what stays on purpose."""

    obstacles: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def __add__(self, other: Findings) -> Findings:
        return Findings(self.obstacles + other.obstacles, self.lost + other.lost, self.kept + other.kept)

    def result(self) -> dict[str, Any]:
        """What the module returns."""
        return {"changed": False, "obstacles": self.obstacles, "lost": self.lost, "kept": self.kept}


def counted(number: int, thing: str, things: str = "", more: bool = False) -> str:
    """``1 image``, ``3 images``; with ``more``, as only one page was counted, ``at least 1,000 images``."""
    noun = thing if number == 1 and not more else things or f"{thing}s"
    return f"{'at least ' if more else ''}{number:,} {noun}"


def size(number: int) -> str:
    """``20 bytes``, ``1.2 GiB``."""
    value, unit = float(number), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else counted(number, "byte")


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown
