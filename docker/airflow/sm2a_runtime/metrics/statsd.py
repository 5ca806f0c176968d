# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Read StatsD datagrams as Airflow sends them with `statsd_influxdb_enabled`: `name,tag=value:number|kind`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a sample says: how often, how much at the moment, how many milliseconds."""

    COUNTER = "c"
    GAUGE = "g"
    TIMER = "ms"


class MalformedError(ValueError):
    """A line that is no sample."""


@dataclass(frozen=True)
class Sample:
    """One value of one metric. A `relative` gauge changes what it was; a counter's rate is already in its value."""

    name: str
    kind: Kind
    value: float
    tags: dict[str, str] = field(default_factory=dict)
    relative: bool = False


def parse(datagram: bytes) -> Iterator[Sample | MalformedError]:
    """The samples of a datagram, one a line; a malformed line comes as the error that says why."""
    for line in datagram.decode("utf-8", errors="replace").splitlines():
        if line:
            try:
                yield parse_line(line)
            except MalformedError as error:
                yield error


def parse_line(line: str) -> Sample:
    """The sample of a line."""
    head, _, rest = line.partition("|")
    series, colon, number = head.rpartition(":")
    kind, *more = rest.split("|")
    if not colon or not series or kind not in Kind.__members__.values():
        raise MalformedError(f"no sample: {line[:200]}")
    name, *tags = series.split(",")
    try:
        value, rate = float(number), _rate(more)
        pairs = dict(_pair(tag) for tag in tags)
    except ValueError as error:
        raise MalformedError(f"no sample: {line[:200]}") from error
    if not name or not math.isfinite(value):
        raise MalformedError(f"no sample: {line[:200]}")
    relative = kind == Kind.GAUGE and number[:1] in ("+", "-")
    return Sample(name, Kind(kind), value / rate if kind == Kind.COUNTER else value, pairs, relative)


def _pair(tag: str) -> tuple[str, str]:
    key, equals, value = tag.partition("=")
    if not (key and equals and value):
        raise ValueError(tag)
    return key, value


def _rate(parts: list[str]) -> float:
    """The share of events that was sent, from `@0.1`; 1 where nothing is said."""
    rate = next((float(part[1:]) for part in parts if part.startswith("@")), 1.0)
    if not 0 < rate <= 1:
        raise ValueError(rate)
    return rate
