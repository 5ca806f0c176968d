# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What CloudWatch and CloudWatch Logs refuse of alarms and log groups besides the limits in their models."""

from __future__ import annotations

from collections.abc import Iterator

from sm2a_local_aws.limits.rules.checks import among, inside, mappings, number
from sm2a_local_aws.limits.rules.table import Parameters, Rule

ALARM = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
RETENTION = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"
CODE = "ValidationError"
SHORT_PERIODS = (10, 20, 30)
HOUR, DAY, WEEK = 3600, 86_400, 604_800
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def _periods(parameters: Parameters) -> Iterator[int]:
    """Of the alarm, or of the metrics of its expression."""
    of_metrics = [inside(one, "MetricStat") for one in mappings(parameters, "Metrics")]
    for given in (parameters, *mappings(parameters, "Metrics"), *of_metrics):
        period = number(given, "Period")
        if period is not None:
            yield period


def _multiple(parameters: Parameters) -> str | None:
    wrong = (period for period in _periods(parameters) if period not in SHORT_PERIODS and (period < 60 or period % 60))
    return "Period must be 10, 20, 30 or a multiple of 60" if next(wrong, None) is not None else None


def _span(parameters: Parameters) -> str | None:
    period = max(_periods(parameters), default=0)
    total = period * (number(parameters, "EvaluationPeriods") or 0)
    if period < HOUR and total > DAY:
        return (
            f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {DAY}) for "
            f"alarms using period < {HOUR}"
        )
    if total > WEEK:
        return (
            f"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= {WEEK}) for "
            f"alarms using period >= {HOUR}"
        )
    return None


def _points(parameters: Parameters) -> str | None:
    points, periods = number(parameters, "DatapointsToAlarm"), number(parameters, "EvaluationPeriods")
    if points is None or periods is None or points <= periods:
        return None
    return "DatapointsToAlarm must be less than or equal to EvaluationPeriods"


ALARMS = (
    Rule(("PutMetricAlarm",), _multiple, CODE, ALARM),
    Rule(("PutMetricAlarm",), _span, CODE, ALARM),
    Rule(("PutMetricAlarm",), _points, CODE, ALARM),
)
LOG_GROUPS = (
    Rule(
        ("PutRetentionPolicy",),
        among(
            "retentionInDays",
            LOG_DAYS,
            "1 validation error detected: Value '{value}' at 'retentionInDays' failed to satisfy constraint: "
            "Member must satisfy enum value set: [{values}]",
        ),
        "InvalidParameterException",
        RETENTION,
    ),
)
