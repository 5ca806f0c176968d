# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What one leg says: so many tasks on one broker, from the times that Airflow itself keeps, and CPU by component."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

# The task that says which ones there are; it is the first one of a run.
PLAN = "plan"


@dataclass(frozen=True)
class Leg:
    """One run of the DAG. Seconds: from the trigger to the start of the first task, from the first message of the tasks
    to the last success, and from the last message to it; how long a slot stayed empty between two tasks, in the median.
    ``busy``: the share of slots that ran a task meanwhile. ``cpu``: seconds of CPU by component.
    """

    broker: str
    work: str
    tasks: int
    first_task_seconds: float
    seconds: float
    last_seconds: float
    empty_seconds: float
    busy: float
    cpu: dict[str, float]

    @property
    def tasks_a_second(self) -> float:
        """What it is about."""
        return self.tasks / self.seconds

    def cpu_a_task(self, components: Sequence[str]) -> float:
        """Seconds of these components."""
        return sum(self.cpu.get(name, 0.0) for name in components) / self.tasks


@dataclass(frozen=True)
class Conditions:
    """Under which a leg ran: on which broker, what the tasks did, and how many of them could run at once."""

    broker: str
    work: str
    slots: int


def leg(
    conditions: Conditions,
    triggered: datetime,
    instances: Sequence[Mapping[str, Any]],
    empty: Sequence[float],
    cpu: Mapping[str, float],
) -> Leg:
    """The figures of one run from its task instances, as Airflow's API has them; ValueError when one failed."""
    if wrong := {str(item["state"]) for item in instances} - {"success"}:
        raise ValueError(f"tasks ended as {', '.join(sorted(wrong))}")
    tasks = [item for item in instances if item["task_id"] != PLAN]
    messages = [_time(item["queued_when"]) for item in tasks]
    starts, ends = ([_time(item[name]) for item in tasks] for name in ("start_date", "end_date"))
    first = min(_time(item["start_date"]) for item in instances)
    seconds = (max(ends) - min(messages)).total_seconds()
    ran = sum((end - start).total_seconds() for start, end in zip(starts, ends, strict=True))
    return Leg(
        broker=conditions.broker,
        work=conditions.work,
        tasks=len(tasks),
        first_task_seconds=round((first - triggered).total_seconds(), 3),
        seconds=round(seconds, 3),
        last_seconds=round((max(ends) - max(messages)).total_seconds(), 3),
        empty_seconds=round(median(empty), 3),
        busy=round(ran / (conditions.slots * seconds), 3),
        cpu={name: round(value, 2) for name, value in cpu.items()},
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def write(path: Path, legs: Sequence[Leg], calls: Mapping[str, float], conditions: Mapping[str, Any]) -> None:
    """Keep what was measured."""
    path.parent.mkdir(exist_ok=True)
    document = {"conditions": dict(conditions), "calls": dict(calls), "legs": [asdict(item) for item in legs]}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> tuple[list[Leg], dict[str, float], dict[str, Any]]:
    """What ``write`` kept."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return [Leg(**item) for item in document["legs"]], document["calls"], document["conditions"]
