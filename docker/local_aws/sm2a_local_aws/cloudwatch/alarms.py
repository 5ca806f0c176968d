# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""CloudWatch alarms that fire: on one metric by its dimensions or on an expression, and on missing data."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from sm2a_local_aws.cloudwatch import alarm_state, aws_metrics, metric_math
from sm2a_local_aws.patching.points import relies_on, replaces

logger = logging.getLogger("sm2a.cloudwatch_alarms")

Alarm = dict[str, Any]

POLL_INTERVAL_SECONDS = 5.0
# What an alarm on an expression does not have.
OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")

relies_on(
    "ministack.services.cloudwatch",
    {
        "_calc_stats": "889e1bfc89dc",
        "_stat_value": "cfaad9598233",
        "_dims_key": "a304eb3ef986",
        "_dims_from_list": "ebc530b8a5dc",
        "_record_history": "c5890b06e5c8",
        "_dispatch_alarm_actions": "fcf47c0d1e6e",
        "_evaluate_parent_alarms": "24a65a9e43d5",
    },
)


def start() -> None:
    """Look at the alarms in the background for the life of the process; without alarms there is nothing to do."""
    threading.Thread(target=_look_forever, name="sm2a-alarms", daemon=True).start()


def _look_forever() -> None:
    while True:
        threading.Event().wait(POLL_INTERVAL_SECONDS)
        try:
            look()
        except Exception:
            # One bad record must not end the evaluation of every other alarm.
            logger.exception("looking at the alarms failed")


def look() -> None:
    """Measure what alarms watch, then evaluate them, in each account and region that has alarms."""
    for account_id, region in sorted({key[:2] for key, _alarm in list(cloudwatch._alarms.all_items())}):
        with request_scope(account_id, region):
            alarms = list(cloudwatch._alarms.values())
            aws_metrics.measure({namespace for alarm in alarms for namespace in namespaces(alarm)})
            for alarm in alarms:
                evaluate(alarm)


def namespaces(alarm: Mapping[str, Any]) -> set[str]:
    """The namespaces of an alarm's metrics."""
    stats = [query["MetricStat"] for query in alarm.get("Metrics") or [] if query.get("MetricStat")]
    return {stat["Metric"]["Namespace"] for stat in stats} | ({alarm["Namespace"]} if alarm.get("Namespace") else set())


@replaces("ministack.services.cloudwatch:_put_metric_alarm", "953a67ff4bb1")
def put_metric_alarm(original: Callable[..., Any], parameters: Any, data: Any, *protocol: Any) -> Any:
    """Keep the metrics of an expression, which MiniStack drops, and nothing that such an alarm does not have."""
    response = original(parameters, data, *protocol)
    alarm = cloudwatch._alarms.get(data.get("AlarmName", "")) if data else None
    if response[0] != 200 or alarm is None:
        return response
    if data.get("Metrics"):
        alarm["Metrics"] = data["Metrics"]
        for name in OF_ONE_METRIC:
            alarm.pop(name, None)
        evaluate(alarm)
    elif data.get("ExtendedStatistic"):
        alarm.pop("Statistic", None)
    return response


@replaces("ministack.services.cloudwatch:_evaluate_alarm", "a0b0acd3d432")
def evaluate_alarm(_original: Callable[[Alarm], None], alarm: Alarm) -> None:
    """Called when the alarm or a metric was put."""
    evaluate(alarm)


def evaluate(alarm: Alarm) -> None:
    """Bring the alarm to the state that its metrics give it, and act on a change as CloudWatch does."""
    if not alarm.get("Metrics") and not alarm.get("MetricName"):
        return  # PutMetricAlarm is about to tell its expression.
    now = time.time()
    values = [value_at(alarm, now - back * period_of(alarm)) for back in range(int(alarm["EvaluationPeriods"]))]
    found = alarm_state.state_of(alarm, values)
    old = alarm["StateValue"]
    if found is None or found[0] == old:
        return
    new, reason = found
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(now))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def period_of(alarm: Mapping[str, Any]) -> int:
    """Seconds of one period: the longest one of an expression's metrics."""
    stats = [query["MetricStat"] for query in alarm.get("Metrics") or [] if query.get("MetricStat")]
    return max([int(stat["Period"]) for stat in stats], default=int(alarm.get("Period") or 60))


def value_at(alarm: Mapping[str, Any], end: float) -> float | None:
    """The alarm's value over the period that ends then, None without data."""
    if not alarm.get("Metrics"):
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        return statistic_of(alarm, statistic, int(alarm["Period"]), end)
    values: dict[str, float | None] = {}
    watched = None
    for query in sorted(alarm["Metrics"], key=lambda query: "Expression" in query):
        if query.get("MetricStat"):
            stat = query["MetricStat"]
            values[query["Id"]] = statistic_of(stat["Metric"], stat["Stat"], int(stat["Period"]), end)
        else:
            values[query["Id"]] = metric_math.evaluate(query["Expression"], values)
        if query.get("ReturnData", True):
            watched = query["Id"]
    return values[watched] if watched else None


def statistic_of(metric: Mapping[str, Any], statistic: str, period: int, end: float) -> float | None:
    """One statistic of exactly this metric over the period that ends then."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(metric.get("Dimensions") or []))
    points = [
        point
        for point in cloudwatch._metrics.get((metric["Namespace"], metric["MetricName"], dimensions)) or []
        if end - period < point["Timestamp"] <= end
    ]
    statistics = cloudwatch._calc_stats(points)
    if not statistics:
        return None
    value = cloudwatch._stat_value(statistics, statistic, points)
    return None if value is None else float(value)
