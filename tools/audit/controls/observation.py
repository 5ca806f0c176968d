# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""CloudWatch: logs that are kept, alarms that somebody hears."""

from __future__ import annotations

from ..control import Verdicts, control, when
from ..environment import Environment

AGAIN = "Run site.yml: the roles cluster and network set it."
SHORTEST_RETENTION_DAYS = 7


@control("CloudWatch.16", "Log groups keep their events for a time that was chosen", AGAIN)
def retention(environment: Environment) -> Verdicts:
    for one in environment.log_groups:
        days = one.get("retentionInDays", 0)
        yield one["logGroupName"], "" if days >= SHORTEST_RETENTION_DAYS else f"{days or 'unlimited'} days"


@control("CloudWatch.key", "Log groups are encrypted with the environment's key", AGAIN)
def encrypted(environment: Environment) -> Verdicts:
    found = environment.log_groups
    yield from when(((one["logGroupName"], not one.get("kmsKeyId")) for one in found), "no key")


@control("CloudWatch.15", "Every alarm tells somebody", "Run site.yml: the role monitoring gives alarms their topic.")
def alarm_actions(environment: Environment) -> Verdicts:
    yield from when(((one["AlarmName"], not one.get("AlarmActions")) for one in environment.alarms), "no action")


@control(
    "CloudWatch.17",
    "No alarm is silenced",
    "Turn the actions of the alarm on again: aws cloudwatch enable-alarm-actions.",
)
def silenced(environment: Environment) -> Verdicts:
    yield from when(
        ((one["AlarmName"], not one["ActionsEnabled"]) for one in environment.alarms), "its actions are off"
    )
