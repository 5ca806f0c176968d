# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Parses and validates ``SM2A_AUTOSCALER_WORKER_GROUPS``, a JSON list of worker groups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sm2a_autoscaler.decision.model import CapacitySchedule, WorkerGroup

# Keys of an entry, with the minimum, or minimum and maximum, of numbers.
TEXTS = ("name", "queue", "queue_url", "service")
COUNTS = {"concurrency": 1, "min": 0, "max": 0}
NUMBERS = {"hold_seconds": (0.0, 3600.0), "latency_preference": (0.0, 3.0)}
KEYS = {*TEXTS, *COUNTS, *NUMBERS, "look_ahead", "schedules"}
SCHEDULE_KEYS = {"days", "from", "to", "time_zone", "min", "max"}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def parse_groups(text: str, hold_seconds: float) -> tuple[WorkerGroup, ...]:
    """The groups; ``hold_seconds`` is the default of groups without their own. Raises ValueError at the first error."""
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.pos}") from error
    if not isinstance(entries, list) or not entries:
        raise ValueError("must be a JSON list with at least one worker group")
    groups = tuple(_group(index, entry, hold_seconds) for index, entry in enumerate(entries))
    for attribute in ("name", "queue", "service"):
        values = [getattr(group, attribute) for group in groups]
        repeated = sorted({value for value in values if values.count(value) > 1})
        if repeated:
            # Two groups with the same queue would both start workers for the same tasks.
            raise ValueError(f"has more than one group with {attribute} {', '.join(repeated)}")
    return groups


def _group(index: int, entry: Any, hold_seconds: float) -> WorkerGroup:
    """One entry of the list; raises ValueError that names the entry and the key."""
    where = f"entry {index}"
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is not an object")
    for key in TEXTS:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise ValueError(f"{where} needs a non-empty string {key!r}")
    where = f"{where} ({entry['name']})"
    _refuse_unknown_keys(where, entry, KEYS)
    counts = {key: _count(where, entry, key, least) for key, least in COUNTS.items()}
    if counts["min"] > counts["max"]:
        raise ValueError(f"{where} has min {counts['min']} above max {counts['max']}")
    schedules = entry.get("schedules") or []
    if not isinstance(schedules, list):
        raise ValueError(f"{where} needs a list for 'schedules'")
    look_ahead = entry.get("look_ahead", True)
    if not isinstance(look_ahead, bool):
        raise ValueError(f"{where} needs true or false for 'look_ahead'")
    return WorkerGroup(
        **{key: entry[key].strip() for key in TEXTS},
        concurrency=counts["concurrency"],
        minimum=counts["min"],
        maximum=counts["max"],
        look_ahead=look_ahead,
        hold_seconds=_number(where, entry, "hold_seconds", hold_seconds),
        latency_preference=_number(where, entry, "latency_preference", 0.0),
        schedules=tuple(
            _schedule(f"{where} schedule {number}", schedule, counts["max"])
            for number, schedule in enumerate(schedules)
        ),
    )


def _schedule(where: str, entry: Any, group_maximum: int) -> CapacitySchedule:
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is not an object")
    _refuse_unknown_keys(where, entry, SCHEDULE_KEYS)
    days = entry.get("days") or list(DAYS)
    if not isinstance(days, list) or not set(map(str, days)) <= set(DAYS):
        raise ValueError(f"{where} needs a list of {', '.join(DAYS)} for 'days'")
    minimum, maximum = (_count(where, entry, key, 0) if entry.get(key) is not None else None for key in ("min", "max"))
    if minimum is None and maximum is None:
        raise ValueError(f"{where} needs 'min', 'max' or both")
    limit = group_maximum if maximum is None else maximum
    if minimum is not None and minimum > limit:
        raise ValueError(f"{where} has min {minimum} above max {limit}")
    return CapacitySchedule(
        days=frozenset(DAYS.index(day) for day in days),
        begin=_clock(where, entry, "from"),
        end=_clock(where, entry, "to"),
        time_zone=_time_zone(where, entry),
        minimum=minimum,
        maximum=maximum,
    )


def _refuse_unknown_keys(where: str, entry: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(entry.keys() - known)
    if unknown:
        raise ValueError(f"{where} has the unknown key {unknown[0]!r}")


def _count(where: str, entry: Mapping[str, Any], key: str, least: int) -> int:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{where} needs an integer of at least {least} for {key!r}")
    return value


def _number(where: str, entry: Mapping[str, Any], key: str, default: float) -> float:
    value = entry.get(key)
    if value is None:
        return default
    least, most = NUMBERS[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{where} needs a number from {least:g} to {most:g} for {key!r}")
    return float(value)


def _clock(where: str, entry: Mapping[str, Any], key: str) -> time:
    """A time of day; for ``to``, both 24:00 and 00:00 mean midnight at the end of the day."""
    value = entry.get(key)
    try:
        # YAML reads an unquoted 10:30 as a number.
        if not isinstance(value, str) or len(value) != len("00:00"):
            raise ValueError(value)
        return time.fromisoformat("00:00" if value == "24:00" and key == "to" else value)
    except ValueError:
        raise ValueError(f'{where} needs a quoted time such as "08:00" for {key!r}, not {value!r}') from None


def _time_zone(where: str, entry: Mapping[str, Any]) -> tzinfo:
    value = entry.get("time_zone", "UTC")
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, TypeError, OSError):
        raise ValueError(
            f"{where} has the unknown time zone {value!r}; use an IANA name such as Europe/Berlin for 'time_zone'"
        ) from None
