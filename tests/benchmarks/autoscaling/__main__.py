# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Play all contenders, print the tables, draw the picture; exit 1 when a goal is missed.

usage: python -m tests.benchmarks.autoscaling [--set tuning|report] [--plot FILE] [--page FILE] [--no-sensitivities]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.pages import insert

from .goals import goals, sensitivity_goals
from .policies.contenders import CONTENDERS
from .report import goal_table, main_table, sensitivity_table, workload_table
from .scores import Case, Conditions, play
from .sensitivities import sensitivities
from .workloads.sets import REPORT, TUNING, workloads


class Progress:
    """One line on the terminal that is written over; elsewhere one line a contender."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._last = ""

    def __call__(self, subject: str, detail: str = "") -> None:
        """Say what is being done."""
        line = f"{time.monotonic() - self._started:4.0f} s  {subject}"
        if sys.stderr.isatty():
            print(f"\r\033[K{line}, {detail}" if detail else f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        elif subject != self._last:
            self._last = subject
            print(line, file=sys.stderr, flush=True)


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="autoscaling", description=__doc__)
    parser.add_argument("--set", choices=("tuning", "report"), default="report", help="parameters and seeds")
    parser.add_argument("--plot", type=Path, help="SVG file to write")
    parser.add_argument("--page", type=Path, help="Markdown file whose tables are brought up to date")
    parser.add_argument("--no-sensitivities", action="store_true", help="only the main table")
    options = parser.parse_args()
    parameters = {"tuning": TUNING, "report": REPORT}[options.set]

    progress = Progress()
    progress("making the workloads")
    cases = [Case(seed, workload) for seed in parameters.seeds for workload in workloads(parameters, seed)]
    dag_shaped = sorted({case.workload.name for case in cases if case.workload.dag_shaped})
    totals = {item.name: play(item, cases, Conditions(parameters.name), progress) for item in CONTENDERS}
    judged = list(goals(totals, dag_shaped))
    shaken = []
    if not options.no_sensitivities:
        shaken = list(sensitivities(cases, totals, progress))
        judged += [goal for name, ours, peers in shaken for goal in sensitivity_goals(name, ours, peers)]
    if options.plot:
        from .plot import draw  # noqa: PLC0415 (matplotlib is only needed here)

        progress("drawing")
        draw(options.plot, totals, next(case for case in cases if case.workload.name == "cron burst"))
    progress("done")

    tables = [main_table(totals, dag_shaped), workload_table(totals), goal_table(judged)]
    if shaken:
        tables.insert(2, sensitivity_table(shaken))
    print("", *tables, sep="\n\n")
    if options.page:
        insert(options.page, "make bench", "\n\n".join(tables))
    return 0 if all(goal.met for goal in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
