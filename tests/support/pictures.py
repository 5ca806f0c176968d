# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of docs/ that benchmarks draw with matplotlib, which only they have installed."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

# The same bytes for the same figures; text stays text.
SETTINGS = {"svg.hashsalt": "sm2a", "svg.fonttype": "none", "font.family": "sans-serif"}


def make_figure(width: float, height: float) -> Figure:
    """An empty figure; width and height in inches."""
    mpl.rcParams.update(SETTINGS)
    return Figure(figsize=(width, height), layout="constrained")


def write_svg(figure: Figure, path: Path) -> None:
    """Write the figure as SVG."""
    figure.savefig(path, format="svg", metadata={"Date": None})
