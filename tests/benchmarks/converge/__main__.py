# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure runs of site.yml that change nothing against bare boto3; exit 1 when a goal is missed.

usage: python -m tests.benchmarks.converge [--rounds N] [--json FILE] [--plot FILE] [--page FILE] [--from FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.pages import insert

from .figures import BARE, FORKED, OWN, Size, goals, read, write
from .measure import GROUPS, Cost, Stack
from .report import tables


def say(line: str) -> None:
    """Tell what is being done."""
    print(line, file=sys.stderr, flush=True)


def measure(stack: Stack, rounds: int) -> Size:
    """Deploy the environment and measure all ways in turn; the slowest in the first round only."""
    say(f"{stack.groups} worker groups: deploying")
    stack.deploy()
    tasks = stack.record()
    ways: dict[str, Callable[[], Cost]] = {
        BARE: stack.bare,
        FORKED: stack.site,
        OWN: lambda: stack.site(sm2a_forked_modules=False),
    }
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for number in range(rounds):
        for way, run in ways.items():
            if way == OWN and number:
                continue
            cost = run()
            costs[way].append(cost)
            say(f"{stack.groups} worker groups, round {number + 1}, {way}: {cost.cpu:.1f} s CPU, {cost.wall:.1f} s")
    reads = len(stack.calls.read_text(encoding="utf-8").splitlines())
    return Size(stack.groups, reads, dict(tasks), costs)


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="converge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each way")
    parser.add_argument("--json", type=Path, default=runs.ARTIFACTS / "converge.json", help="file for all figures")
    parser.add_argument("--plot", type=Path, help="SVG file to write")
    parser.add_argument("--page", type=Path, help="Markdown file whose tables are brought up to date")
    parser.add_argument("--from", dest="figures", type=Path, help="figures of an earlier run, instead of a new one")
    options = parser.parse_args()
    if options.figures:
        sizes = read(options.figures)
    else:
        directory = Path(tempfile.mkdtemp(prefix="converge-"))
        with runs.control_plane(directory) as aws:
            sizes = [measure(Stack(aws, directory, groups), options.rounds) for groups in GROUPS]
        write(options.json, sizes)
    judged = goals(sizes)
    report = tables(sizes, judged)
    print(report)
    if options.page:
        insert(options.page, "make bench-converge", report)
    if options.plot:
        from .plot import draw  # noqa: PLC0415 (matplotlib is only needed here)

        draw(options.plot, sizes)
    return 0 if all(goal.met for goal in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
