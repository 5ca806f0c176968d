# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values for CloudWatch: one statistic set a minute and metric, three hours of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.services import cloudwatch

from sm2a_local_aws.patching.points import relies_on

relies_on(
    "ministack.services.cloudwatch",
    {"_metric_bucket": "be62c5f1548d", "_dims_key": "a304eb3ef986", "_point_stats": "56fe58fc91f5"},
)

PERIOD_SECONDS = 60
KEPT_POINTS = 180


@dataclass(frozen=True)
class Datum:
    """Values of one metric that belong to one moment (seconds since the epoch)."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    unit: str
    values: Sequence[float]
    at: float


def record(datum: Datum) -> None:
    """Add the values to their minute, in the account and region of the caller."""
    dimensions = dict(datum.dimensions)
    points = cloudwatch._metric_bucket((datum.namespace, datum.name, cloudwatch._dims_key(dimensions)))
    parts = [(1.0, value, value, value) for value in datum.values]
    last = points[-1] if points else None
    if last is not None and _minute(last["Timestamp"]) == _minute(datum.at):
        parts.append(cloudwatch._point_stats(points.pop()))
    count, total = sum(part[0] for part in parts), sum(part[1] for part in parts)
    statistics = {
        "SampleCount": count,
        "Sum": total,
        "Minimum": min(part[2] for part in parts),
        "Maximum": max(part[3] for part in parts),
    }
    # The latest moment of the minute: what is not heard of any more is seen to be so at once.
    at = max(datum.at, last["Timestamp"]) if last is not None and len(parts) > len(datum.values) else datum.at
    point = {"Timestamp": at, "Value": total / count, "Unit": datum.unit, "Dimensions": dimensions}
    points.append({**point, "_stat": statistics})
    del points[:-KEPT_POINTS]


def _minute(at: float) -> int:
    return int(at // PERIOD_SECONDS)


def embedded(message: str, now: float) -> Iterator[Datum]:
    """The metrics of a log event in CloudWatch's embedded metric format; none when it is in no such format."""
    if not message.startswith("{") or '"_aws"' not in message:
        return
    try:
        record_ = json.loads(message)
        directives = record_["_aws"]["CloudWatchMetrics"]
        at = float(record_["_aws"].get("Timestamp", now * 1000)) / 1000
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(record_[name]) for name in names if name in record_}
            if len(dimensions) != len(names):
                continue  # CloudWatch ignores a set that names what the event does not have.
            for metric in directive.get("Metrics", []):
                values = _numbers(record_.get(metric.get("Name")))
                if values:
                    unit = metric.get("Unit", "None")
                    yield Datum(directive["Namespace"], metric["Name"], dimensions, unit, values, at)


def _numbers(value: Any) -> list[float]:
    """The finite numbers of a metric's value, which is one or a list of them."""
    found = value if isinstance(value, list) else [value]
    numbers = [float(item) for item in found if isinstance(item, int | float) and not isinstance(item, bool)]
    return [number for number in numbers if math.isfinite(number)]
