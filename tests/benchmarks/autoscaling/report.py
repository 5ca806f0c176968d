# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of a run, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.sm2a.airflow.tests.support.pages import table

from .goals import Goal
from .policies.contenders import CLAIRVOYANT, KEDA, MWAA, ORIGINAL, OURS, OURS_QUICK
from .scores import Total

SHOWN = (ORIGINAL, MWAA, KEDA, OURS, OURS_QUICK, CLAIRVOYANT)


def main_table(totals: Mapping[str, Total], dag_shaped: Sequence[str]) -> str:
    """One line a contender, all workloads together."""
    bound = totals[CLAIRVOYANT]
    rows = [
        (
            total.contender,
            f"{total.wait:.1f}",
            f"{total.worker_hours:.1f}",
            str(total.killed),
            f"{total.span_against(bound, dag_shaped):.2f}",
        )
        for total in totals.values()
    ]
    return table(("", "mean wait s", "worker-hours", "tasks killed", "span of DAG runs"), rows)


def workload_table(totals: Mapping[str, Total]) -> str:
    """Wait in seconds and worker-hours by workload, of those worth a comparison."""
    names = [name for name in SHOWN if name in totals]
    workloads = totals[OURS].by_workload
    rows = []
    for workload in workloads:
        scores = [totals[name].by_workload[workload] for name in names]
        rows.append((workload, *(f"{score.wait:.1f} s, {score.worker_hours:.1f} h" for score in scores)))
    return table(("", *names), rows)


def sensitivity_table(results: Iterable[tuple[str, Total, Sequence[Total]]]) -> str:
    """One line a condition."""
    rows = [
        (name, *(f"{total.wait:.1f} s, {total.worker_hours:.1f} h, {total.killed} killed" for total in (ours, *peers)))
        for name, ours, peers in results
    ]
    return table(("", OURS, "KEDA, 120 s grace", "KEDA, 600 s grace"), rows)


def goal_table(goals: Iterable[Goal]) -> str:
    """One line a goal, the missed ones marked."""
    rows = [(goal.text, f"{goal.value:.3f}", f"{goal.limit:.3f}", "met" if goal.met else "MISSED") for goal in goals]
    return table(("goal", "value", "at most", ""), rows)
