# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Metrics of log events and of AWS itself, and alarms that fire and are over."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sm2a_autoscaler.journal import Journal
from sm2a_local_aws.cloudwatch import alarm_state, metric_math, metric_store
from sm2a_local_aws.rds import metrics as rds_metrics
from sm2a_runtime.metrics.series import Collector
from sm2a_runtime.metrics.statsd import parse_line

GROUP, STREAM = "/metrics", "stream"


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        ("a - b", {"a": 5.0, "b": 2.0}, 3),
        ("a - b", {"a": 5.0, "b": None}, None),
        ("FILL(a, 0) + 1", {"a": None}, 1),
        ("-a * 2", {"a": 3.0}, -6),
        ("a / b", {"a": 1.0, "b": 0.0}, None),
        ("IF(a > 0, b, 0)", {"a": 0.0, "b": 9.0}, 0),
        ("IF(a > 0, b, 0)", {"a": 1.0, "b": 9.0}, 9),
        ("IF(a > 0, b)", {"a": 0.0, "b": 9.0}, None),
        ("IF(a > 0, b, 0)", {"a": None, "b": 9.0}, None),
        ("IF(a >= 4 AND b > 0, 1, 0)", {"a": 4.0, "b": 1.0}, 1),
        ("IF(a >= 4 && b > 0, 1, 0)", {"a": 4.0, "b": 0.0}, 0),
        ("IF(a == 4 OR b > 0, 1, 0)", {"a": 4.0, "b": 0.0}, 1),
        ("MAX([a, b])", {"a": 4.0, "b": None}, 4),
        ("MIN(a, b) + SUM([a, b]) + ABS(b)", {"a": 1.0, "b": -2.0}, -1),
    ],
)
def test_metric_math(expression: str, values: dict[str, float | None], expected: float | None) -> None:
    assert metric_math.evaluate(expression, values) == expected


@pytest.mark.parametrize("expression", ["a +", "unknown", "EXEC(1)", "a.b", "__import__('os')", "a < 1 < 2", "'text'"])
def test_what_is_no_metric_math_is_refused(expression: str) -> None:
    with pytest.raises(metric_math.MetricMathError):
        metric_math.evaluate(expression, {"a": 1.0})


@pytest.mark.parametrize(
    ("missing", "values", "expected"),
    [
        ("missing", [1, 1, 1], "ALARM"),
        ("missing", [1, 0, 1], "ALARM"),
        ("missing", [1, 0, 0], "OK"),
        ("missing", [1, None, None], "OK"),
        ("missing", [None, None, None], "INSUFFICIENT_DATA"),
        ("breaching", [None, None, None], "ALARM"),
        ("breaching", [0, None, None], "ALARM"),
        ("breaching", [0, 0, None], "OK"),
        ("notBreaching", [None, None, None], "OK"),
        ("notBreaching", [1, None, 1], "ALARM"),
        ("ignore", [None, None, None], None),
        ("ignore", [0, None, None], "OK"),
    ],
)
def test_two_of_three_periods(missing: str, values: list[float | None], expected: str | None) -> None:
    alarm = {
        "TreatMissingData": missing,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
    }
    found = alarm_state.state_of(alarm, values)
    assert (found[0] if found else None) == expected


def event(**more: Any) -> str:
    """A line in the embedded metric format, with members replaced."""
    metric = {"Name": "Active", "Unit": "Count"}
    directive = {"Namespace": "Test", "Dimensions": [["Environment"]], "Metrics": [metric]}
    told = {"_aws": {"Timestamp": 1000, "CloudWatchMetrics": [directive]}, "Environment": "e", "Active": 1}
    return json.dumps(told | more)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (event(), [[1.0]]),
        (event(Active=[1, 2.5]), [[1.0, 2.5]]),
        (event(Active="one"), []),
        (event(Active=True), []),
        ("plain text", []),
        ('{"event": "tick"}', []),
        ('{"_aws": {"CloudWatchMetrics"', []),
        ('{"_aws": {}}', []),
    ],
)
def test_embedded_metrics_of_a_line(line: str, values: list[list[float]]) -> None:
    assert [list(datum.values) for datum in metric_store.embedded(line, 5.0)] == values


def test_a_set_of_dimensions_that_the_event_does_not_have_is_ignored() -> None:
    told = json.loads(event())
    told["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [["Environment"], ["Environment", "dag_id"], []]
    found = list(metric_store.embedded(json.dumps(told), 5.0))
    assert [datum.dimensions for datum in found] == [{"Environment": "e"}, {}]
    assert {datum.at for datum in found} == {1.0}


def test_a_containers_statistics_become_cpu_and_memory() -> None:
    stats = {
        "cpu_stats": {"cpu_usage": {"total_usage": 600}, "system_cpu_usage": 2000, "online_cpus": 2},
        "precpu_stats": {"cpu_usage": {"total_usage": 400}, "system_cpu_usage": 1000},
        "memory_stats": {"limit": 1000, "usage": 300},
    }
    found = {name: value for name, _unit, value in rds_metrics.container_metrics(stats)}
    assert found == {"CPUUtilization": 40.0, "FreeableMemory": 700}
    assert list(rds_metrics.container_metrics({"cpu_stats": {}, "memory_stats": {}})) == []


SOCKETS = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1539 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 51 1 0 100 0 0 10 0
   1: 0200005E:1539 0300005E:A028 01 00000000:00000000 00:00000000 00000000     0        0 52 1 0 20 4 30 10 -1
   2: 0200005E:1539 0300005E:A029 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
   3: 0200005E:A030 0300005E:1539 01 00000000:00000000 00:00000000 00000000     0        0 53 1 0 20 4 30 10 -1
  sl  local_address                         remote_address                        st tx_queue rx_queue tr
   0: 0000000000000000FFFF00000200005E:1539 0000000000000000FFFF00000300005E:A031 01 00000000:00000000 02:00000000
"""


def test_connections_are_those_established_to_the_servers_port() -> None:
    assert rds_metrics.connections(SOCKETS, 5433) == 2
    assert rds_metrics.connections("", 5433) == 0


@pytest.fixture(scope="module")
def notified(control_plane: Any) -> Callable[..., list[dict[str, Any]]]:
    """``notified(name)`` creates a topic with a queue behind it; the function in it reads what has come."""
    sns, sqs = control_plane.client("sns"), control_plane.client("sqs")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    url = sqs.create_queue(QueueName="notified")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    told: list[dict[str, Any]] = []

    def read(alarm: str) -> list[dict[str, Any]]:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            told.append(json.loads(json.loads(message["Body"])["Message"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [item for item in told if item["AlarmName"] == alarm]

    return read


@pytest.fixture(scope="module")
def put_lines(control_plane: Any) -> Iterator[Callable[..., None]]:
    """Write lines to a log stream, as the awslogs driver does."""
    logs = control_plane.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)

    def put(*lines: str) -> None:
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
        logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=events)

    yield put
    logs.delete_log_group(logGroupName=GROUP)


def statistics(control_plane: Any, namespace: str, metric: str, **dimensions: str) -> dict[str, Any]:
    """Sum, count, least and largest value of the last hours."""
    now = datetime.now(UTC)
    (point,) = control_plane.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=86400,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum"],
    )["Datapoints"]
    return {name: point[name] for name in ("Sum", "SampleCount", "Minimum", "Maximum")}


def test_log_lines_of_the_sidecar_are_metrics(control_plane: Any, put_lines: Callable[..., None]) -> None:
    collector = Collector("unit", "worker", ["dag_id"], 10)
    for line in ("airflow.ti_successes,dag_id=x:3|c", "airflow.ti_successes,dag_id=y:4|c"):
        collector.add(parse_line(line))
    put_lines("a line of another kind", *collector.flush(time.time()))
    both = statistics(control_plane, "SM2A/Airflow", "ti_successes", Environment="unit")
    assert both == {"Sum": 7, "SampleCount": 2, "Minimum": 3, "Maximum": 4}
    assert statistics(control_plane, "SM2A/Airflow", "ti_successes", Environment="unit", dag_id="y")["Sum"] == 4


def test_queues_and_services_are_measured_when_read(control_plane: Any) -> None:
    sqs = control_plane.client("sqs")
    url = sqs.create_queue(QueueName="measured")["QueueUrl"]
    for text in ("one", "two"):
        sqs.send_message(QueueUrl=url, MessageBody=text)
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)

    def maximum(metric: str) -> float:
        return float(statistics(control_plane, "AWS/SQS", metric, QueueName="measured")["Maximum"])

    control_plane.wait("a measurement", lambda: "measured" in measured_queues(control_plane))
    assert maximum("ApproximateNumberOfMessagesVisible") == 1
    assert maximum("ApproximateNumberOfMessagesNotVisible") == 1
    assert 0 <= maximum("ApproximateAgeOfOldestMessage") < 60


def measured_queues(control_plane: Any) -> set[str]:
    found = control_plane.client("cloudwatch").list_metrics(Namespace="AWS/SQS")["Metrics"]
    return {item["Value"] for metric in found for item in metric["Dimensions"]}


def test_a_dead_letter_fires_an_alarm(control_plane: Any, notified: Callable[..., Any]) -> None:
    sqs = control_plane.client("sqs")
    url = sqs.create_queue(QueueName="dead-letter")["QueueUrl"]
    put_alarm(
        control_plane,
        "dead-letter",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "dead-letter"}],
        Statistic="Maximum",
        Period=10,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    sqs.send_message(QueueUrl=url, MessageBody="given up")
    assert states_told(control_plane, notified, "dead-letter", "ALARM")[-1] == "ALARM"


def test_silence_of_the_autoscaler_fires_an_alarm_until_it_reports_again(
    control_plane: Any, notified: Callable[..., Any], put_lines: Callable[..., None]
) -> None:
    stream = io.StringIO()
    Journal("unit", stream, time.time).metrics({"Active": (1, "Count"), "Problems": (0, "Count")})
    report = stream.getvalue().splitlines()
    put_lines(*report)
    dimensions = [{"Name": "Environment", "Value": "unit"}]
    metric = {"Namespace": "SM2A/Autoscaler", "MetricName": "Active", "Dimensions": dimensions}
    put_alarm(
        control_plane,
        "silent",
        Metrics=[
            {"Id": "alive", "Expression": "IF(active > 0, 1, 0)", "ReturnData": True},
            {"Id": "active", "MetricStat": {"Metric": metric, "Period": 10, "Stat": "Maximum"}, "ReturnData": False},
        ],
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )
    # It reported a moment ago, then says no more.
    assert states_told(control_plane, notified, "silent", "ALARM") == ["OK", "ALARM"]
    Journal("unit", stream, time.time).metrics({"Active": (1, "Count")})
    put_lines(*stream.getvalue().splitlines()[len(report) :])
    assert states_told(control_plane, notified, "silent", "OK", after="ALARM") == ["OK", "ALARM", "OK"]


def put_alarm(control_plane: Any, name: str, **members: Any) -> None:
    topic = "arn:aws:sns:eu-west-1:000000000000:alarms"
    actions = {"AlarmActions": [topic], "OKActions": [topic]}
    control_plane.client("cloudwatch").put_metric_alarm(AlarmName=name, EvaluationPeriods=1, **actions, **members)


def states_told(
    control_plane: Any, notified: Callable[..., Any], alarm: str, wanted: str, after: str | None = None
) -> list[str]:
    """The states that were told of the alarm, once the wanted one is the last, and came after another one."""

    def told() -> list[str]:
        states = [item["NewStateValue"] for item in notified(alarm)]
        return states if states[-1:] == [wanted] and (after is None or after in states[:-1]) else []

    found: list[str] = control_plane.wait(f"{alarm} {wanted}", told, timeout=45)
    return found
