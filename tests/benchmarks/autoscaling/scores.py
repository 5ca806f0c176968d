# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Plays of contenders on workloads, and what they add up to."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .policies.contenders import Contender
from .simulation.model import Cloud, Result, Workload
from .simulation.simulator import simulate

# Told what is played: the conditions and the contender, and then the case.
Announce = Callable[[str, str], None]


@dataclass(frozen=True)
class Case:
    """A workload as made with a seed."""

    seed: int
    workload: Workload


@dataclass(frozen=True)
class Conditions:
    """What differs from the ordinary in a sensitivity."""

    name: str = ""
    cloud: Cloud = field(default_factory=Cloud)
    duration_error: float = 1.0
    hide_schedule: bool = False


@dataclass(frozen=True)
class Score:
    """One contender on one workload over all seeds: seconds of mean wait and of 95th percentile of span, means a seed.

    ``worker_hours`` is a mean a seed as well, ``killed`` the sum.
    """

    wait: float
    worker_hours: float
    killed: int
    span: float


@dataclass(frozen=True)
class Total:
    """One contender on all workloads, each of which weighs the same in the wait."""

    contender: str
    by_workload: dict[str, Score]

    @property
    def wait(self) -> float:
        """Mean of the workloads' mean waits, in seconds."""
        return statistics.fmean(score.wait for score in self.by_workload.values())

    @property
    def worker_hours(self) -> float:
        """Sum over the workloads."""
        return sum(score.worker_hours for score in self.by_workload.values())

    @property
    def killed(self) -> int:
        """Tasks lost to a stopped worker, over all seeds."""
        return sum(score.killed for score in self.by_workload.values())

    def span_against(self, other: Total, workloads: Iterable[str]) -> float:
        """The largest ratio of spans on these workloads."""
        return max(self.by_workload[name].span / other.by_workload[name].span for name in workloads)


def play(contender: Contender, cases: Sequence[Case], conditions: Conditions, announce: Announce) -> Total:
    """Every case once."""
    results: dict[str, list[Result]] = {}
    for case in cases:
        announce(f"{conditions.name}: {contender.name}", f"{case.workload.name}, seed {case.seed}")
        policy = contender.make(case.workload, conditions.cloud, case.seed)
        result = simulate(
            case.workload,
            policy,
            contender.platform,
            conditions.cloud,
            case.seed,
            duration_error=conditions.duration_error,
            hide_schedule=conditions.hide_schedule,
        )
        results.setdefault(case.workload.name, []).append(result)
    return Total(contender.name, {name: score(played) for name, played in results.items()})


def score(results: Sequence[Result]) -> Score:
    """Of the results of one workload, one a seed."""
    return Score(
        statistics.fmean(statistics.fmean(result.waits) for result in results),
        statistics.fmean(result.worker_seconds for result in results) / 3600,
        sum(result.killed for result in results),
        statistics.fmean(percentile(result.spans, 0.95) for result in results),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
