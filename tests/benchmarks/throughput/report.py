# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Our broker against Redis: medians of the legs, their ratios, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.pages import table as aligned

from .legs import Leg

SQS, REDIS = "SQS", "Redis"
# Seconds of each task, by the name of the work.
WORKS = {"nothing": 0.0, "2 s": 2.0}
# Tasks a second, of those on Redis.
GOAL = 0.9
OURS = ("scheduler", "workers")


@dataclass(frozen=True)
class Figure:
    """Something of a leg, and how many digits of it are shown."""

    name: str
    of: Callable[[Leg], float]
    digits: int


FIGURES = (
    Figure("tasks a second", lambda leg: leg.tasks_a_second, 2),
    Figure("slots that run a task, %", lambda leg: 100 * leg.busy, 0),
    Figure("a slot is empty between two tasks, s", lambda leg: leg.empty_seconds, 2),
    Figure("trigger to first task, s", lambda leg: leg.first_task_seconds, 2),
    Figure("last message to last success, s", lambda leg: leg.last_seconds, 2),
    Figure("CPU a task, scheduler and workers, s", lambda leg: leg.cpu_a_task(OURS), 2),
    Figure("CPU a task, api-server, s", lambda leg: leg.cpu_a_task(["api-server"]), 2),
    Figure("CPU a task, local AWS or Redis, s", lambda leg: leg.cpu_a_task(["local AWS", "Redis"]), 2),
)


@dataclass(frozen=True)
class Comparison:
    """Both brokers at one kind of work: values of each leg by figure, in the order of the legs."""

    work: str
    ours: Mapping[str, Sequence[float]]
    redis: Mapping[str, Sequence[float]]

    def ratio(self, figure: str) -> float:
        """Ours to Redis, of the medians."""
        return median(self.ours[figure]) / median(self.redis[figure])

    def spread(self, figure: str) -> tuple[float, float]:
        """The least and the greatest ratio of two legs that followed each other."""
        ratios = [ours / redis for ours, redis in zip(self.ours[figure], self.redis[figure], strict=True)]
        return min(ratios), max(ratios)

    @property
    def tasks_a_second(self) -> float:
        """The ratio that has a goal."""
        return self.ratio(FIGURES[0].name)


def comparisons(legs: Sequence[Leg]) -> list[Comparison]:
    """One for each kind of work."""
    works = list(dict.fromkeys(leg.work for leg in legs))
    return [Comparison(work, _values(legs, work, SQS), _values(legs, work, REDIS)) for work in works]


def _values(legs: Sequence[Leg], work: str, broker: str) -> dict[str, list[float]]:
    chosen = [leg for leg in legs if (leg.work, leg.broker) == (work, broker)]
    return {figure.name: [figure.of(leg) for leg in chosen] for figure in FIGURES}


def table(found: Sequence[Comparison]) -> str:
    """A line for each figure of each kind of work."""
    rows = []
    for comparison in found:
        for figure in FIGURES:
            least, greatest = comparison.spread(figure.name)
            rows.append(
                (
                    f"{comparison.work}: {figure.name}",
                    f"{median(comparison.ours[figure.name]):.{figure.digits}f}",
                    f"{median(comparison.redis[figure.name]):.{figure.digits}f}",
                    f"{comparison.ratio(figure.name):.2f}",
                    f"{least:.2f} to {greatest:.2f}",
                )
            )
    return aligned(("", SQS, REDIS, "ratio", "of single pairs"), rows)


def calls_table(calls: Mapping[str, float]) -> str:
    """Calls of SQS a task."""
    return aligned(("call of SQS", "a task"), [(name, f"{count:.2f}") for name, count in calls.items() if count])


def conditions_text(conditions: Mapping[str, Any]) -> str:
    """What the figures hold for, in a sentence."""
    return (
        "{tasks} tasks a leg, {rounds} rounds of both brokers, {workers} workers with {slots} slots together, "
        "{processors} processors for everything."
    ).format(**conditions)
