# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Collect samples for a minute, and write them in CloudWatch's embedded metric format.

Every combination of name and dimensions costs money in CloudWatch, so few tags become dimensions and the number of
their combinations is bounded: what comes after counts as `other`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sm2a_runtime.metrics.statsd import Kind, Sample

NAMESPACE = "SM2A/Airflow"
PREFIX = "airflow."
OTHER = "other"
# CloudWatch's limits on one event.
METRICS_OF_ONE_EVENT = 100
VALUES_OF_ONE_METRIC = 100
# Names that hold something variable must not grow without end either.
NAMES_LIMIT = 500
# A minute's timings of one series that are kept; more say nothing new.
TIMINGS_LIMIT = 1000
UNITS = {Kind.COUNTER: "Count", Kind.GAUGE: "None", Kind.TIMER: "Milliseconds"}

Dimensions = tuple[tuple[str, str], ...]


@dataclass
class Series:
    """The values of one metric within the minute."""

    kind: Kind
    values: list[float] = field(default_factory=list)

    def add(self, sample: Sample, before: float) -> None:
        """Sum counts, keep the latest level, collect timings. `before` is where a relative gauge starts."""
        if self.kind is Kind.COUNTER:
            self.values = [sum(self.values) + sample.value]
        elif self.kind is Kind.GAUGE:
            self.values = [before + sample.value if sample.relative else sample.value]
        elif len(self.values) < TIMINGS_LIMIT:
            self.values.append(sample.value)


class Collector:
    """Samples of one container: `dimensions` are the tags that become dimensions, `limit` bounds their combinations."""

    def __init__(self, environment: str, component: str, dimensions: Sequence[str], limit: int) -> None:
        self._environment = environment
        self._component = component
        self._dimensions = tuple(dimensions)
        self._limit = limit
        self._known: set[Dimensions] = {()}
        self._names: set[str] = set()
        self._series: dict[tuple[Dimensions, str], Series] = {}
        self._levels: dict[tuple[Dimensions, str], float] = {}
        self.ignored = 0

    def add(self, sample: Sample) -> None:
        """Take a sample; one with a new name beyond the limit of names is ignored and counted."""
        name = sample.name.removeprefix(PREFIX)
        if name not in self._names and len(self._names) >= NAMES_LIMIT:
            self.ignored += 1
            return
        self._names.add(name)
        key = (self._bounded(sample.tags), name)
        series = self._series.get(key)
        if series is None or series.kind is not sample.kind:
            series = self._series[key] = Series(sample.kind)
        series.add(sample, self._levels.get(key, 0.0))
        if sample.kind is Kind.GAUGE:
            self._levels[key] = series.values[0]

    def _bounded(self, tags: dict[str, str]) -> Dimensions:
        """The tags that are dimensions, or `other` for each of them when there are too many combinations."""
        found = tuple((name, tags[name]) for name in self._dimensions if name in tags)
        if found not in self._known:
            if len(self._known) > self._limit:
                return tuple((name, OTHER) for name, _value in found)
            self._known.add(found)
        return found

    def flush(self, now: float) -> list[str]:
        """The lines of what came since the last flush, at `now` in seconds since the epoch."""
        series, self._series = self._series, {}
        by_dimensions: dict[Dimensions, dict[str, Series]] = {}
        for (dimensions, name), values in sorted(series.items(), key=lambda item: item[0]):
            by_dimensions.setdefault(dimensions, {})[name] = values
        return [
            self._line(dimensions, part, now)
            for dimensions, metrics in by_dimensions.items()
            for part in _parts(metrics)
        ]

    def _line(self, dimensions: Dimensions, metrics: dict[str, Series], now: float) -> str:
        names = [name for name, _value in dimensions]
        # Of the whole environment, and of what the tags name.
        sets = [["Environment"], ["Environment", *names]] if names else [["Environment"]]
        definitions = [{"Name": name, "Unit": UNITS[series.kind]} for name, series in metrics.items()]
        directive = {"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": definitions}
        event = {
            "_aws": {"Timestamp": round(now * 1000), "CloudWatchMetrics": [directive]},
            "Environment": self._environment,
            "Component": self._component,
            **dict(dimensions),
            **{name: _value(series.values) for name, series in metrics.items()},
        }
        return json.dumps(event, separators=(",", ":"))


def _value(values: list[float]) -> float | list[float]:
    return values[0] if len(values) == 1 else values


def _parts(metrics: dict[str, Series]) -> Iterator[dict[str, Series]]:
    """The metrics in events that CloudWatch takes: so many metrics, each with so many values."""
    rest = dict(metrics)
    while rest:
        part = {name: rest[name] for name in list(rest)[:METRICS_OF_ONE_EVENT]}
        yield {name: Series(series.kind, series.values[:VALUES_OF_ONE_METRIC]) for name, series in part.items()}
        for name, series in part.items():
            left = series.values[VALUES_OF_ONE_METRIC:]
            if left:
                rest[name] = Series(series.kind, left)
            else:
                del rest[name]
