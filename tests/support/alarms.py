# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Alarms of an environment on the local AWS, by what is reported to CloudWatch."""

from __future__ import annotations

import datetime

from ansible_collections.sm2a.airflow.tests.support.control_plane import NAME, ControlPlane

# Longer than any alarm here looks back.
MINUTES = 12


def report(aws: ControlPlane, alarm: str, value: float, minutes: int = MINUTES) -> None:
    """Report ``value`` for the metric of an alarm, once for each of the last minutes."""
    cloudwatch = aws.client("cloudwatch")
    [found] = cloudwatch.describe_alarms(AlarmNames=[f"{NAME}/{alarm}"])["MetricAlarms"]
    now = datetime.datetime.now(datetime.UTC)
    datum = {"MetricName": found["MetricName"], "Dimensions": found["Dimensions"], "Value": value}
    times = [now - datetime.timedelta(minutes=back) for back in range(minutes)]
    cloudwatch.put_metric_data(
        Namespace=found["Namespace"], MetricData=[{**datum, "Timestamp": time} for time in times]
    )


def state(aws: ControlPlane, alarm: str) -> str:
    """OK, ALARM or INSUFFICIENT_DATA."""
    [found] = aws.client("cloudwatch").describe_alarms(AlarmNames=[f"{NAME}/{alarm}"])["MetricAlarms"]
    return str(found["StateValue"])
