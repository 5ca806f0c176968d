# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the benchmark: medians, shares of bare boto3, growth by worker group, and the goals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from .measure import Cost

BARE, FORKED, OWN = "bare boto3", "site.yml", "site.yml, forks off"
WAYS = (BARE, FORKED, OWN)
# At most so many times what bare boto3 takes, with one worker group.
MOST_CPU, MOST_WALL = 12.0, 10.0


@dataclass(frozen=True)
class Size:
    """Everything about one number of worker groups. ``costs`` has each run, by way."""

    groups: int
    reads: int
    tasks: Mapping[str, int]
    costs: Mapping[str, Sequence[Cost]]

    def middle(self, way: str) -> Cost:
        """The median run of a way."""
        runs = self.costs[way]
        return Cost(median(run.cpu for run in runs), median(run.wall for run in runs))

    def times(self, way: str) -> Cost:
        """How many times bare boto3."""
        bare, other = self.middle(BARE), self.middle(way)
        return Cost(other.cpu / bare.cpu, other.wall / bare.wall)


@dataclass(frozen=True)
class Goal:
    """A ratio, and the most that it may be."""

    text: str
    value: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.value <= self.limit


def goals(sizes: Sequence[Size]) -> list[Goal]:
    """Those of the smallest environment."""
    times = sizes[0].times(FORKED)
    return [Goal("CPU, times bare boto3", times.cpu, MOST_CPU), Goal("wall, times bare boto3", times.wall, MOST_WALL)]


def growth(sizes: Sequence[Size], way: str) -> Cost:
    """Seconds that a worker group adds, between the smallest and the largest environment."""
    first, last = sizes[0], sizes[-1]
    groups = last.groups - first.groups
    less, more = first.middle(way), last.middle(way)
    return Cost((more.cpu - less.cpu) / groups, (more.wall - less.wall) / groups)


def write(path: Path, sizes: Sequence[Size]) -> None:
    """All figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(size) for size in sizes], indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> list[Size]:
    """What ``write`` wrote."""
    sizes = json.loads(path.read_text(encoding="utf-8"))
    return [
        Size(**{**size, "costs": {way: [Cost(**run) for run in found] for way, found in size["costs"].items()}})
        for size in sizes
    ]
