# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The workloads: one set of parameters for tuning, another for the report.

Every function takes a seeded stream and returns the same for the same one. Rates are tasks a second. Arrivals that a
person or another system causes are not announced; runs of cron schedules are.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..simulation.model import Run, Task, Workload
from .dags import etl_runs
from .workflows import workflow_runs

HOUR = 3600.0


@dataclass(frozen=True)
class Parameters:
    """What distinguishes the set of the report from that of tuning."""

    name: str
    seeds: tuple[int, ...]
    steady_rate: float
    steady_seconds: float
    short_rate: float
    short_burst: int
    diurnal_rate: float
    diurnal_seconds: float
    tail_rate: float
    tail_median: float
    tail_sigma: float
    cron_minutes: tuple[int, ...]
    cron_tasks: int
    cron_seconds: float
    dag_minutes: int
    dag_width: int
    dag_seconds: float
    recipes: tuple[str, ...]
    workflow_tasks: int
    workflow_seconds: float


TUNING = Parameters(
    name="tuning",
    seeds=(11, 12),
    steady_rate=0.3,
    steady_seconds=70,
    short_rate=1.2,
    short_burst=120,
    diurnal_rate=0.45,
    diurnal_seconds=100,
    tail_rate=0.1,
    tail_median=25,
    tail_sigma=1.7,
    cron_minutes=(15, 60),
    cron_tasks=45,
    cron_seconds=110,
    dag_minutes=30,
    dag_width=24,
    dag_seconds=75,
    recipes=("BlastRecipe", "EpigenomicsRecipe", "SeismologyRecipe", "SoykbRecipe"),
    workflow_tasks=120,
    workflow_seconds=60,
)

REPORT = Parameters(
    name="report",
    seeds=(101, 102, 103),
    steady_rate=0.42,
    steady_seconds=55,
    short_rate=1.6,
    short_burst=90,
    diurnal_rate=0.36,
    diurnal_seconds=140,
    tail_rate=0.13,
    tail_median=18,
    tail_sigma=1.8,
    cron_minutes=(20, 60),
    cron_tasks=55,
    cron_seconds=85,
    dag_minutes=20,
    dag_width=16,
    dag_seconds=90,
    recipes=("MontageRecipe", "GenomeRecipe", "CyclesRecipe", "BwaRecipe", "SrasearchRecipe"),
    workflow_tasks=150,
    workflow_seconds=45,
)


def workloads(parameters: Parameters, seed: int) -> list[Workload]:
    """All seven of a set, for one seed."""
    makers: list[Callable[[Parameters, random.Random], Workload]] = [
        steady,
        short_tasks,
        diurnal,
        long_tail,
        cron_burst,
        dag_shaped,
        workflow_instances,
    ]
    return [
        maker(parameters, random.Random(f"{parameters.name} {seed} {maker.__name__}"))  # noqa: S311
        for maker in makers
    ]


def steady(parameters: Parameters, stream: random.Random) -> Workload:
    """Manual and asset-triggered tasks at one rate."""
    times = poisson(stream, 6 * HOUR, lambda _: parameters.steady_rate, parameters.steady_rate)
    tasks = (single(at, "steady", lognormal(stream, parameters.steady_seconds, 0.6)) for at in times)
    return Workload("steady", 6 * HOUR, tuple(tasks))


def short_tasks(parameters: Parameters, stream: random.Random) -> Workload:
    """Tasks of about 4 s: a stream of them, and a heap of them now and then."""
    seconds = 4 * HOUR
    times = list(poisson(stream, seconds, lambda _: parameters.short_rate, parameters.short_rate))
    for start in poisson(stream, seconds, lambda _: 1 / 1200, 1 / 1200):
        times += [start] * stream.randint(parameters.short_burst // 2, parameters.short_burst * 3 // 2)
    runs = (single(at, "short", lognormal(stream, 4, 0.3)) for at in sorted(times))
    return Workload("short tasks", seconds, tuple(runs))


def diurnal(parameters: Parameters, stream: random.Random) -> Workload:
    """Two days of twelve hours: next to nothing at night, a peak at noon."""
    peak = parameters.diurnal_rate

    def rate(at: float) -> float:
        return peak * (0.03 + 0.97 * math.sin(math.pi * (at % (12 * HOUR)) / (12 * HOUR)) ** 4)

    times = poisson(stream, 24 * HOUR, rate, peak)
    runs = (single(at, "diurnal", lognormal(stream, parameters.diurnal_seconds, 0.8)) for at in times)
    return Workload("diurnal", 24 * HOUR, tuple(runs))


def long_tail(parameters: Parameters, stream: random.Random) -> Workload:
    """Most tasks are short, a few last up to two hours."""
    times = poisson(stream, 10 * HOUR, lambda _: parameters.tail_rate, parameters.tail_rate)
    scale, sigma = parameters.tail_median, parameters.tail_sigma
    runs = (single(at, "tail", min(7200.0, scale * stream.lognormvariate(0, sigma))) for at in times)
    return Workload("long tail", 10 * HOUR, tuple(runs))


def cron_burst(parameters: Parameters, stream: random.Random) -> Workload:
    """Schedules that all fall on the same minutes, and little in between."""
    seconds = 8 * HOUR
    runs = [single(at, "between", lognormal(stream, 30, 0.6)) for at in poisson(stream, seconds, lambda _: 0.01, 0.01)]
    for share, minutes in enumerate(parameters.cron_minutes, start=1):
        for at in range(minutes * 60, int(seconds), minutes * 60):
            count = stream.randint(parameters.cron_tasks * share // 2, parameters.cron_tasks * share)
            runs += [
                single(at, f"cron {minutes} {number}", lognormal(stream, parameters.cron_seconds, 0.5), announced=True)
                for number in range(count)
            ]
    return Workload("cron burst", seconds, tuple(sorted(runs, key=lambda run: run.at)))


def dag_shaped(parameters: Parameters, stream: random.Random) -> Workload:
    """Extract, transform in parallel, aggregate, load: by schedule, and by hand now and then."""
    seconds = 8 * HOUR
    runs = etl_runs(stream, seconds, parameters.dag_minutes, parameters.dag_width, parameters.dag_seconds)
    return Workload("DAGs", seconds, runs, dag_shaped=True)


def workflow_instances(parameters: Parameters, stream: random.Random) -> Workload:
    """Scientific workflows generated from recorded traces, each as a DAG that runs several times."""
    seconds = 8 * HOUR
    runs = workflow_runs(stream, seconds, parameters.recipes, parameters.workflow_tasks, parameters.workflow_seconds)
    return Workload("workflows", seconds, runs, dag_shaped=True)


def single(at: float, kind: str, seconds: float, announced: bool = False) -> Run:
    """A run of one task."""
    return Run(at, (Task(kind, seconds),), announced)


def lognormal(stream: random.Random, mean: float, sigma: float) -> float:
    """A duration with that mean."""
    return mean * stream.lognormvariate(-sigma * sigma / 2, sigma)


def poisson(stream: random.Random, seconds: float, rate: Callable[[float], float], peak: float) -> Iterator[float]:
    """Arrival times of a Poisson process whose rate never exceeds ``peak``."""
    at = 0.0
    while (at := at + stream.expovariate(peak)) < seconds:
        if stream.random() * peak < rate(at):
            yield at
