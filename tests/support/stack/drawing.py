# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Worker counts over time: a table and a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, fields
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.stack.watch import Sample

WIDTH, HEIGHT, MARGIN = 900, 300, 45
BOTTOM, RIGHT = HEIGHT - MARGIN, WIDTH - MARGIN
DESIRED, RUNNING, WAITING = "#c33", "#3a3", "#36a"
LEGEND = (("workers desired (dashed)", DESIRED), ("workers running", RUNNING), ("messages waiting (right)", WAITING))
MARKS = 6


def write(samples: list[Sample], title: str, folder: Path, name: str = "worker_counts") -> None:
    """Keep the samples as ``<name>.csv`` and their drawing as ``<name>.svg`` in ``folder``."""
    folder.mkdir(exist_ok=True)
    rows = [",".join(field.name for field in fields(Sample))]
    rows += [",".join(str(value) for value in astuple(sample)) for sample in samples]
    (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / f"{name}.svg").write_text(draw(samples, title), encoding="utf-8")


def draw(samples: list[Sample], title: str) -> str:
    """An SVG with step lines: workers on the left axis, messages on the right one."""
    last = max(samples[-1].second, 1.0)
    workers = max(1, *(count for sample in samples for count in (sample.desired, sample.running))) + 1
    messages = max(1, *(sample.waiting for sample in samples))
    heights = [_text(MARGIN - 8, _y(count, workers) + 4, str(count), DESIRED, "end") for count in range(workers + 1)]
    times = [last * mark / MARKS for mark in range(MARKS + 1)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"',
            f' font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            f'<path d="M{MARGIN},{MARGIN}V{BOTTOM}H{RIGHT}V{MARGIN}" fill="none" stroke="#999"/>',
            _text(MARGIN, 18, title),
            *(_text(MARGIN + place * 170, 36, words, colour) for place, (words, colour) in enumerate(LEGEND)),
            *heights,
            *(_text(_x(second, last), BOTTOM + 18, f"{second:.0f} s", anchor="middle") for second in times),
            _text(RIGHT + 6, MARGIN + 4, str(messages), WAITING),
            _steps(samples, last, messages, lambda sample: sample.waiting, stroke=f'"{WAITING}"'),
            _steps(samples, last, workers, lambda sample: sample.running, stroke=f'"{RUNNING}"'),
            _steps(samples, last, workers, lambda sample: sample.desired, stroke=f'"{DESIRED}" stroke-dasharray="5 3"'),
            "</svg>\n",
        ]
    )


def _steps(samples: list[Sample], last: float, top: float, value: Callable[[Sample], int], *, stroke: str) -> str:
    points: list[str] = []
    height = _y(value(samples[0]), top)
    for sample in samples:
        x = _x(sample.second, last)
        points.append(f"{x:.1f},{height:.1f}")
        height = _y(value(sample), top)
        points.append(f"{x:.1f},{height:.1f}")
    return f'<polyline fill="none" stroke-width="2" stroke={stroke} points="{" ".join(points)}"/>'


def _x(second: float, last: float) -> float:
    return MARGIN + second / last * (RIGHT - MARGIN)


def _y(value: float, top: float) -> float:
    return BOTTOM - value / top * (BOTTOM - MARGIN)


def _text(x: float, y: float, words: str, colour: str = "#333", anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" text-anchor="{anchor}">{words}</text>'
