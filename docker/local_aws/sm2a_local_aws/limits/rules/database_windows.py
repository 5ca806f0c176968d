# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The windows of a DB instance: their form and length, and that they do not overlap."""

from __future__ import annotations

import re

from sm2a_local_aws.limits.rules.checks import text
from sm2a_local_aws.limits.rules.table import Parameters

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME = r"([01]\d|2[0-3]):([0-5]\d)"
DAY_MINUTES, WEEK_MINUTES, SHORTEST = 1440, 10080, 30
Window = tuple[int, int]


def backup(window: str) -> Window | None:
    """The minute of the day on which ``02:00-03:00`` begins, and its length; None when it is no such text."""
    found = re.fullmatch(f"{TIME}-{TIME}", window)
    if not found:
        return None
    start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
    start = start_hour * 60 + start_minute
    return start, (end_hour * 60 + end_minute - start) % DAY_MINUTES


def maintenance(window: str) -> Window | None:
    """The same for ``sun:03:30-sun:04:30``, in a week."""
    day = f"({'|'.join(DAYS)})"
    found = re.fullmatch(f"{day}:{TIME}-{day}:{TIME}", window.lower())
    if not found:
        return None
    start_day, start_hour, start_minute, end_day, end_hour, end_minute = found.groups()
    start = DAYS.index(start_day) * DAY_MINUTES + int(start_hour) * 60 + int(start_minute)
    end = DAYS.index(end_day) * DAY_MINUTES + int(end_hour) * 60 + int(end_minute)
    return start, (end - start) % WEEK_MINUTES


def problem(parameters: Parameters) -> str | None:
    """What is wrong with the windows of a call."""
    daily, weekly = text(parameters, "PreferredBackupWindow"), text(parameters, "PreferredMaintenanceWindow")
    of_backup, of_maintenance = backup(daily), maintenance(weekly)
    if daily and of_backup is None:
        return f"Invalid backup window format: {daily}. Should be specified as a range hh24:mi-hh24:mi (24H Clock UTC)"
    if weekly and of_maintenance is None:
        return (
            f"Invalid maintenance window format: {weekly}. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi "
            "(24H Clock UTC). Example: Sun:23:45-Mon:00:15"
        )
    if of_backup and of_backup[1] < SHORTEST:
        return f"The backup window must be at least {SHORTEST} minutes."
    if of_maintenance and not SHORTEST <= of_maintenance[1] < DAY_MINUTES:
        return f"The maintenance window must be at least {SHORTEST} minutes and less than 24 hours."
    if of_backup and of_maintenance and _overlap(of_backup, of_maintenance):
        return "The backup window and maintenance window must not overlap."
    return None


def _overlap(daily: Window, weekly: Window) -> bool:
    starts = (day * DAY_MINUTES + daily[0] for day in range(len(DAYS)))
    return any(
        (weekly[0] - start) % WEEK_MINUTES < daily[1] or (start - weekly[0]) % WEEK_MINUTES < weekly[1]
        for start in starts
    )
