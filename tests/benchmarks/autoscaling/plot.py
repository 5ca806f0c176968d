# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The picture: cost against wait of all contenders, and what two of them do on a burst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.pictures import make_figure, write_svg
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from .policies.contenders import CLAIRVOYANT, CONTENDERS, FIXED_MAXIMUM, KEDA, KEDA_LONG, MWAA, OURS, OURS_QUICK
from .scores import Case, Total
from .simulation.model import Cloud, Sample, Workload
from .simulation.simulator import simulate

HIGHLIGHT, OTHER, BOUND = "#0b6e4f", "#8d99ae", "#e9c46a"
# Minutes of the workload that are shown.
WINDOW = (55, 95)
# Labels that would lie on others: offset in points, and the side of the text that is next to the point.
PLACES = {
    MWAA: ((-8, 3), "right"),
    OURS: ((-6, -12), "right"),
    OURS_QUICK: ((7, -1), "left"),
    KEDA: ((10, 0), "left"),
    KEDA_LONG: ((10, -11), "left"),
    FIXED_MAXIMUM: ((-6, 5), "right"),
}
PLACE = ((7, 5), "left")


def draw(path: Path, totals: Mapping[str, Total], case: Case) -> None:
    """Write the picture as SVG, the same bytes for the same figures."""
    figure = make_figure(11, 4.2)
    left, right = figure.subplots(1, 2)
    _costs(left, totals)
    _burst(right, case)
    write_svg(figure, path)


def _costs(axes: Axes, totals: Mapping[str, Total]) -> None:
    """Worker-hours and mean wait; the corner at the lower left is the place to be."""
    for name, total in totals.items():
        if name == "fixed minimum":
            continue  # Its waits of hours would squeeze all others into a corner.
        ours = name in (OURS, OURS_QUICK)
        colour = HIGHLIGHT if ours else OTHER
        offset, side = PLACES.get(name, PLACE)
        axes.scatter(total.worker_hours, total.wait, s=20 + 2 * total.killed**0.75, color=colour, alpha=0.8, zorder=2)
        axes.annotate(
            f"{name} ({total.killed} killed)" if total.killed else name,
            (total.worker_hours, total.wait),
            xytext=offset,
            textcoords="offset points",
            horizontalalignment=side,
            fontsize=8,
            color=HIGHLIGHT if ours else "#333333",
            fontweight="bold" if name == OURS else "normal",
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("worker-hours")
    axes.set_ylabel("mean wait of a task, s")
    axes.set_title("All workloads; a dot is as large as the number of tasks killed", fontsize=10)
    axes.margins(x=0.28, y=0.15)
    axes.set_xticks([200, 300, 500, 1000, 1500], minor=False)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(which="major", color="#dddddd", zorder=0)


def _burst(axes: Axes, case: Case) -> None:
    """Workers over time on one workload, and those that the tasks of the moment would fill."""
    for name, colour in ((CLAIRVOYANT, BOUND), (KEDA, OTHER), (OURS, HIGHLIGHT)):
        samples = _samples(name, case.workload, case.seed)
        minutes = [sample.at / 60 for sample in samples]
        workers = [sample.workers for sample in samples]
        if name == CLAIRVOYANT:
            axes.fill_between(minutes, workers, step="post", color=colour, alpha=0.5, label=name, linewidth=0)
        else:
            axes.step(minutes, workers, where="post", color=colour, label=name, linewidth=1.6)
    axes.set_xlim(WINDOW)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("minutes")
    axes.set_ylabel("workers")
    axes.set_title(f"Workers on {case.workload.name}", fontsize=10)
    axes.legend(fontsize=8, loc="upper right")
    axes.grid(color="#dddddd")


def _samples(name: str, workload: Workload, seed: int) -> Sequence[Sample]:
    """The state at each tick within the window, only where something changes."""
    contender = next(item for item in CONTENDERS if item.name == name)
    cloud = Cloud()
    policy = contender.make(workload, cloud, seed)
    result = simulate(workload, policy, contender.platform, cloud, seed, record=True)
    first, last = (60 * minute for minute in WINDOW)
    kept: list[Sample] = []
    for sample in result.samples:
        if first - 60 <= sample.at <= last + 60 and (not kept or kept[-1].workers != sample.workers):
            kept.append(sample)
    return [*kept, Sample(last + 60, 0, 0, kept[-1].workers)]
