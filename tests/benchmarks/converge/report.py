# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.sm2a.airflow.tests.support.pages import table

from .figures import BARE, WAYS, Goal, Size, growth

STOCK = "amazon.aws"


def tables(sizes: Sequence[Size], judged: Iterable[Goal]) -> str:
    """All of them, and the sentences between."""
    first = sizes[0]
    tasks = ", ".join(f"{count} of {name}" for name, count in sorted(first.tasks.items()))
    stock = first.tasks.get(STOCK, 0)
    say = f"With one worker group a run has {sum(first.tasks.values())} tasks with a result ({tasks})."
    if not stock:
        say += f" None is a module of {STOCK}: all calls of AWS are those of modules that are forked."
    return "\n\n".join([main_table(sizes), growth_table(sizes), say, goal_table(judged)])


def main_table(sizes: Sequence[Size]) -> str:
    """A line for each number of worker groups and way."""
    rows = []
    for size in sizes:
        for way in WAYS:
            cost, times = size.middle(way), size.times(way)
            name = (
                f"{size.groups} worker group{'s' if size.groups > 1 else ''}, {size.reads} reads" if way == BARE else ""
            )
            rows.append((name, way, f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{times.cpu:.1f}", f"{times.wall:.1f}"))
    return table(("environment", "", "CPU s", "wall s", "CPU, times", "wall, times"), rows, texts=2)


def growth_table(sizes: Sequence[Size]) -> str:
    """A line for each way."""
    rows = []
    for way in WAYS:
        more = growth(sizes, way)
        rows.append((way, f"{more.cpu:.2f}", f"{more.wall:.2f}"))
    return table(("one more worker group adds", "CPU s", "wall s"), rows)


def goal_table(judged: Iterable[Goal]) -> str:
    """A line for each goal, the missed ones marked."""
    rows = [(goal.text, f"{goal.value:.1f}", f"{goal.limit:.1f}", "met" if goal.met else "MISSED") for goal in judged]
    return table(("goal", "value", "at most", ""), rows)
