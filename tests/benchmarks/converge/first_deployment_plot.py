# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The picture of a first deployment: when each step began and was over, beside when it could have been at best."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.pictures import make_figure, write_svg

from .first_deployment import Result
from .waits import STEPS, critical_path, earliest_ends

CRITICAL, OTHER, BEST = "#0b6e4f", "#8d99ae", "#e9c46a"


def draw(path: Path, result: Result) -> None:
    """Write the picture as SVG, the same bytes for the same figures."""
    figure = make_figure(11, 4.6)
    axes = figure.subplots()
    critical, on_path = critical_path(STEPS, result.times)
    best = earliest_ends(STEPS, result.times)
    order = sorted(STEPS, key=result.span)
    for row, name in enumerate(order):
        began, ended = result.span(name)
        colour = CRITICAL if name in on_path else OTHER
        axes.barh(row, (ended - began) / 60, left=began / 60, height=0.62, color=colour, zorder=2)
        axes.plot([best[name] / 60] * 2, [row - 0.42, row + 0.42], color=BEST, linewidth=3, zorder=3)
    axes.axvline(critical / 60, color=BEST, linestyle="--", linewidth=1, zorder=1)
    axes.axvline(result.wall / 60, color="#333333", linestyle="--", linewidth=1, zorder=1)
    axes.set_yticks(range(len(order)), [STEPS[name].title for name in order])
    axes.invert_yaxis()
    axes.set_xlim(0, max(result.wall, critical) / 60 * 1.02)
    axes.set_xlabel("minutes (green: on the critical path; yellow: over at best)")
    axes.set_title(
        f"A first deployment of site.yml: {result.wall / 60:.1f} minutes, "
        f"{result.ratio:.2f} times the critical path of {critical / 60:.1f} minutes",
        fontsize=10,
    )
    axes.grid(axis="x", color="#dddddd", zorder=0)
    write_svg(figure, path)
