# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How a worker group is scaled: what argument_specs cannot say about holds, preferences and schedules. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

try:
    from zoneinfo import ZoneInfo
except ImportError:  # before Python 3.9
    ZoneInfo = None  # type: ignore[misc, assignment]

HOLD_SECONDS = (0, 3600)
LATENCY_PREFERENCE = (0, 3)
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def scaling_problems(group: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each thing that is wrong with the scaling of a worker group."""
    for key, (least, most) in (("hold_seconds", HOLD_SECONDS), ("latency_preference", LATENCY_PREFERENCE)):
        value = group.get(key)
        if value is not None and not least <= float(value) <= most:
            yield f"{key} must be {least} to {most}, not {value}"
    for number, schedule in enumerate(group.get("schedules") or [], 1):
        yield from (f"schedule {number}: {problem}" for problem in _schedule_problems(schedule, int(group["max"])))


def _schedule_problems(schedule: Mapping[str, Any], group_maximum: int) -> Iterator[str]:
    for key in ("from", "to"):
        value = str(schedule.get(key))
        if not CLOCK.fullmatch(value) and (key, value) != ("to", "24:00"):
            # YAML makes a number of 10:30 without quotes.
            yield f'{key} must be a time of day in quotes, such as "08:00", not {value}'
    minimum, maximum = schedule.get("min"), schedule.get("max")
    if minimum is None and maximum is None:
        yield "needs min, max or both"
    if any(value is not None and int(value) < 0 for value in (minimum, maximum)):
        yield "min and max must not be negative"
    limit = group_maximum if maximum is None else int(maximum)
    if minimum is not None and int(minimum) > limit:
        yield f"has min {minimum} above max {limit}"
    zone = str(schedule.get("time_zone") or "UTC")
    if not _is_time_zone(zone):
        yield f"time_zone {zone} is unknown; use an IANA name such as Europe/Berlin"


def _is_time_zone(name: str) -> bool:
    """Whether the zone exists, as far as this computer has a list of them."""
    return _loads(name) or not _loads("Europe/Berlin")


def _loads(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        return False
    return True
