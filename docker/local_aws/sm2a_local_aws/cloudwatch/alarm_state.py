# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What state a CloudWatch alarm is in: pure functions from the values of its periods."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def state_of(alarm: Mapping[str, Any], values: Sequence[float | None]) -> tuple[str, str] | None:
    """State and reason from the values of the latest periods, newest first; None where the state stays as it is."""
    missing = alarm.get("TreatMissingData") or "missing"
    present = [value for value in values if value is not None]
    if not present and missing in ("missing", "ignore"):
        return None if missing == "ignore" else (INSUFFICIENT_DATA, f"No data in the last {len(values)} periods")
    breaches = OPERATORS[alarm["ComparisonOperator"]]
    threshold = float(alarm["Threshold"])
    breaching = [value for value in present if breaches(value, threshold)]
    count = len(breaching) + (len(values) - len(present) if missing == "breaching" else 0)
    needed = int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"])
    comparison = f"{alarm['ComparisonOperator']} {threshold}"
    seen = ", ".join("no data" if value is None else f"{value:g}" for value in values)
    if count >= needed:
        return ALARM, f"Threshold Crossed: {count} of {len(values)} periods [{seen}] were {comparison}"
    return OK, f"Threshold not crossed: {count} of {len(values)} periods [{seen}] were {comparison}"
