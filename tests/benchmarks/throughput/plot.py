# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The picture: tasks a second on both brokers, and where a task's CPU goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from ansible_collections.sm2a.airflow.tests.support.pictures import make_figure, write_svg
from matplotlib.axes import Axes

from .legs import Leg
from .report import REDIS, SQS, Comparison

COLOURS = {SQS: "#0b6e4f", REDIS: "#8d99ae"}
COMPONENTS = ("scheduler", "workers", "api-server", "local AWS", "Redis")
SHADES = ("#264653", "#2a9d8f", "#8d99ae", "#e9c46a", "#e76f51")
WIDTH = 0.36


def draw(path: Path, found: Sequence[Comparison], legs: Sequence[Leg]) -> None:
    """Write the picture as SVG, the same bytes for the same figures."""
    figure = make_figure(11, 3.6)
    left, right = figure.subplots(1, 2)
    _rates(left, found)
    _cpu(right, found, legs)
    write_svg(figure, path)


def _rates(axes: Axes, found: Sequence[Comparison]) -> None:
    """A bar for the median, a dot for each leg."""
    name = "tasks a second"
    for place, comparison in enumerate(found):
        for side, broker in ((-1, SQS), (1, REDIS)):
            values = (comparison.ours if broker == SQS else comparison.redis)[name]
            x = place + side * WIDTH / 2
            label = broker if place == 0 else None
            axes.bar(x, median(values), WIDTH * 0.95, color=COLOURS[broker], label=label, zorder=2)
            axes.scatter([x] * len(values), values, color="#222222", s=14, zorder=3)
    axes.set_xticks(range(len(found)), [f"tasks of {item.work} ({item.tasks_a_second:.2f})" for item in found])
    axes.set_ylabel(name)
    axes.set_title("Tasks a second, and our part of Redis's", fontsize=10)
    axes.grid(axis="y", color="#dddddd", zorder=0)
    axes.legend(frameon=False, fontsize=8)


def _cpu(axes: Axes, found: Sequence[Comparison], legs: Sequence[Leg]) -> None:
    """Seconds of CPU a task, one bar for a broker and a kind of work."""
    bars = [(comparison.work, broker) for comparison in found for broker in (SQS, REDIS)]
    bottoms = [0.0] * len(bars)
    for component, shade in zip(COMPONENTS, SHADES, strict=True):
        heights = [median(leg.cpu_a_task([component]) for leg in legs if (leg.work, leg.broker) == bar) for bar in bars]
        axes.bar(range(len(bars)), heights, 0.6, bottom=bottoms, color=shade, label=component, zorder=2)
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
    axes.set_xticks(range(len(bars)), [f"{broker}, {work}" for work, broker in bars])
    axes.set_ylabel("CPU a task, s")
    axes.set_title("Where the CPU of a task goes", fontsize=10)
    axes.grid(axis="y", color="#dddddd", zorder=0)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
