# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The hours in which RDS makes backups and maintains a database: their form and length, and that they differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.database import of_instance
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import of_text, shown, text
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Rule

INSTANCE = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = r"([01]\d|2[0-3]):([0-5]\d)"
DAY, WEEK, SHORTEST = 1440, 7 * 1440, 30


def daily_window(value: str) -> tuple[int, int] | None:
    """``22:00-23:00`` as the minute of the day on which it begins and its length."""
    found = re.fullmatch(f"{HOURS}-{HOURS}", value)
    if not found:
        return None
    start_hour, start, end_hour, end = map(int, found.groups())
    return start_hour * 60 + start, (end_hour * 60 + end - start_hour * 60 - start) % DAY


def weekly_window(value: str) -> tuple[int, int] | None:
    """``sun:22:00-sun:23:00`` as the minute of the week on which it begins and its length."""
    found = re.fullmatch(f"({'|'.join(DAYS)}):{HOURS}-({'|'.join(DAYS)}):{HOURS}", value.lower())
    if not found:
        return None
    day, hour, minute, end_day, end_hour, end_minute = found.groups()
    start = DAYS.index(day) * DAY + int(hour) * 60 + int(minute)
    end = DAYS.index(end_day) * DAY + int(end_hour) * 60 + int(end_minute)
    return start, (end - start) % WEEK


def _window(read: Callable[[str], tuple[int, int] | None], example: str) -> Callable[[str], str | None]:
    def judge(value: str) -> str | None:
        window = read(value)
        if window is None:
            return f"must be a time from and to in UTC, as {example}, not {shown(value)}"
        return None if window[1] >= SHORTEST else f"must be at least {SHORTEST} minutes long, not {window[1]}"

    return judge


def _overlap(values: Mapping[str, Any]) -> str | None:
    backup = daily_window(text(values, "database_backup_window", "02:00-03:00"))
    maintenance = weekly_window(text(values, "database_maintenance_window", "sun:03:30-sun:04:30"))
    # Without backups there is no window of theirs.
    if not backup or not maintenance or values.get("database_backup_retention_period") == 0:
        return None
    for day in range(7):
        start = day * DAY + backup[0]
        if (maintenance[0] - start) % WEEK < backup[1] or (start - maintenance[0]) % WEEK < maintenance[1]:
            return "must not overlap; move one of them"
    return None


RULES: list[Rule] = [
    Rule("database_backup_window", INSTANCE, of_text(_window(daily_window, "02:00-03:00"))),
    Rule("database_maintenance_window", INSTANCE, of_text(_window(weekly_window, "sun:03:30-sun:04:30"))),
]
JOINT_RULES: list[JointRule] = [
    JointRule(("database_backup_window", "database_maintenance_window"), INSTANCE, of_instance(_overlap)),
]
