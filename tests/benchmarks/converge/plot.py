# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The picture: CPU and wall of each way, by number of worker groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.pictures import make_figure, write_svg

from .figures import BARE, FORKED, OWN, WAYS, Size

COLOURS = {BARE: "#e9c46a", FORKED: "#0b6e4f", OWN: "#8d99ae"}


def draw(path: Path, sizes: Sequence[Size]) -> None:
    """Write the picture as SVG, the same bytes for the same figures."""
    figure = make_figure(11, 3.8)
    for axes, what, title in zip(figure.subplots(1, 2), ("cpu", "wall"), ("CPU", "wall clock"), strict=True):
        for way in WAYS:
            seconds = [getattr(size.middle(way), what) for size in sizes]
            axes.plot([size.groups for size in sizes], seconds, "o-", color=COLOURS[way])
            axes.annotate(
                f"{way}, {seconds[-1]:.0f} s",
                (sizes[-1].groups, seconds[-1]),
                xytext=(0, 7),
                textcoords="offset points",
                horizontalalignment="right",
                fontsize=9,
                color="#333333",
            )
        axes.set_yscale("log")
        axes.set_xticks([size.groups for size in sizes])
        axes.set_xlabel("worker groups")
        axes.set_ylabel("seconds")
        axes.set_title(f"A run of site.yml without changes: {title}", fontsize=10)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.margins(y=0.15)
        axes.grid(which="major", color="#dddddd", zorder=0)
    write_svg(figure, path)
