# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the simulator is given and what it returns. Times and durations are seconds, times since the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from sm2a_autoscaler.decision.model import Demand


@dataclass(frozen=True)
class Task:
    """One task of a run. ``parents`` are positions in the run; ``kind`` is what a history of durations knows it by."""

    kind: str
    seconds: float
    parents: tuple[int, ...] = ()


@dataclass(frozen=True)
class Run:
    """Tasks that belong together, due ``at`` that time. ``announced``: a schedule says so beforehand."""

    at: float
    tasks: tuple[Task, ...]
    announced: bool = False


@dataclass(frozen=True)
class Workload:
    """Runs in the order of their times within ``seconds``; ``dag_shaped`` when spans of runs are worth a look."""

    name: str
    seconds: float
    runs: tuple[Run, ...]
    dag_shaped: bool = False

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return sum(len(run.tasks) for run in self.runs)


@dataclass(frozen=True)
class Cloud:
    """The same for all contenders: size limits, and Fargate as measured.

    A start-up is lognormal. Billing begins with the image pull, ``unbilled_seconds`` after the launch, and is for
    ``billed_at_least`` seconds. ``order_seconds`` pass from a tick's reads until ECS acts on what was decided, and
    ``drain_seconds`` until workers know that they shall take no new tasks, or take some again.
    """

    concurrency: int = 5
    minimum: int = 1
    maximum: int = 20
    start_up_median: float = 62.0
    start_up_sigma: float = 0.3
    unbilled_seconds: float = 10.0
    billed_at_least: float = 60.0
    order_seconds: float = 2.0
    drain_seconds: float = 15.0


class Victims(Enum):
    """Which workers a scale-in may stop.

    PROTECTED: those without a task for ``IDLE_GRACE_SECONDS``, the others as soon as that holds (task protection).
    NEWEST: the youngest first (Kubernetes). ANY: at random (ECS without protection). NAMED: those that had no task at
    the tick, one after another (StopTask), whatever they do by then.
    """

    PROTECTED = "protected"
    NEWEST = "newest"
    ANY = "any"
    NAMED = "named"


@dataclass(frozen=True)
class Platform:
    """How a contender runs: seconds between ticks, who is stopped, and how long a stopped worker may finish tasks."""

    tick_seconds: float
    victims: Victims
    grace_seconds: float = 120.0


@dataclass(frozen=True)
class Order:
    """What a policy wants: workers in all, and how many of those with tasks shall take no new ones."""

    workers: int
    drain: int = 0


class View(Protocol):
    """What a policy may see at a tick.

    ``desired`` is the last order; ``starting``, ``ready``, ``busy`` and ``protected`` workers are as they are.
    """

    now: float
    queued: int
    running: int
    desired: int
    starting: int
    ready: int
    busy: int
    protected: int
    cloud: Cloud

    def demand(self) -> Demand:
        """All that the metadata database would tell, forecasts of the near future included."""

    def start_up_seconds(self) -> float | None:
        """The 90th percentile of the start-ups so far, None before the first."""


class Policy(Protocol):
    """A policy that competes: bring any object with this one method."""

    def order(self, view: View) -> Order:
        """Called at each tick of the contender's platform; may keep what it likes from one call to the next."""


@dataclass(frozen=True)
class Sample:
    """The state at one moment, for the plot: tasks waiting, slots in use, workers that are paid for or starting."""

    at: float
    queued: int
    running: int
    workers: int


@dataclass
class Result:
    """What became of a workload: seconds of wait a task, of span a run; workers' billed seconds; killed tasks.

    On request also the states over time and each task's start and end.
    """

    waits: list[float] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)
    worker_seconds: float = 0.0
    killed: int = 0
    launched: int = 0
    samples: list[Sample] = field(default_factory=list)
    busy: list[tuple[float, float]] = field(default_factory=list)
