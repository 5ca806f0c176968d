# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""cloudwatch_alarms against the local AWS, which keeps alarms on expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins.lost_replies import lose_replies

Aws = Callable[[str], Any]
MODULE = "cloudwatch_alarms"
TOPIC = f"arn:aws:sns:{support.REGION}:{support.ACCOUNT}:alarms"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """MiniStack alone drops the metrics of an expression."""
    return local_aws_endpoint


def of_a_metric(name: str) -> dict[str, Any]:
    """An alarm on one metric with every option."""
    return {
        "name": name,
        "description": "A message was received too often.",
        "namespace": "AWS/SQS",
        "metric_name": "ApproximateNumberOfMessagesVisible",
        "dimensions": {"QueueName": "dead-letter"},
        "statistic": "Maximum",
        "period": 300,
        "comparison_operator": "GreaterThanThreshold",
        "threshold": 0,
        "evaluation_periods": 3,
        "datapoints_to_alarm": 2,
        "treat_missing_data": "notBreaching",
        "alarm_actions": [TOPIC],
        "ok_actions": [TOPIC],
    }


def of_an_expression(name: str, expression: str = "IF(visible > 0, age, 0)") -> dict[str, Any]:
    """An alarm on an expression over two metrics."""
    queue = {"namespace": "AWS/SQS", "dimensions": {"QueueName": "default"}, "statistic": "Minimum", "period": 60}
    return {
        "name": name,
        "metrics": [
            {"id": "waiting", "expression": expression, "label": "Waiting", "return_data": True},
            {"id": "visible", "metric_name": "ApproximateNumberOfMessagesVisible", **queue},
            {"id": "age", "metric_name": "ApproximateAgeOfOldestMessage", **queue},
        ],
        "comparison_operator": "GreaterThanThreshold",
        "threshold": 900,
        "alarm_actions": [TOPIC],
    }


def percentile(name: str) -> dict[str, Any]:
    """An alarm on a percentile."""
    metric = {"namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime", "statistic": "p99"}
    return {"name": name, **metric, "comparison_operator": "GreaterThanThreshold", "threshold": 1.5}


@pytest.fixture
def present(unique_name: str) -> dict[str, Any]:
    alarms = [
        of_a_metric(f"{unique_name}/dead-letter"),
        of_an_expression(f"{unique_name}/waiting"),
        percentile(f"{unique_name}/slow"),
    ]
    return {"alarms": alarms, "tags": {"environment": unique_name}}


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    matching = {"environment": unique_name}
    return {"alarms": [], "state": "absent", "purge_name_prefix": f"{unique_name}/", "purge_where_tagged": matching}


@pytest.fixture
def read_state(aws: Aws, unique_name: str) -> Callable[[], Any]:
    moving = {"StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp", "StateTransitionedTimestamp"}

    def read() -> list[Any]:
        cloudwatch = aws("cloudwatch")
        found = []
        for alarm in cloudwatch.describe_alarms(AlarmNamePrefix=f"{unique_name}/")["MetricAlarms"]:
            tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
            found.append(({key: value for key, value in alarm.items() if key not in moving}, tags))
        return found

    return read


def test_ladder(own_ladder: Callable[..., support.Ladder], unique_name: str) -> None:
    rungs = own_ladder()
    assert rungs.predicted["diff"] == rungs.applied["diff"]
    dead_letter, waiting, slow = rungs.applied["alarms"]
    assert dead_letter["dimensions"] == {"QueueName": "dead-letter"}
    assert waiting["metrics"][2]["expression"] == "IF(visible > 0, age, 0)"
    assert (slow["name"], slow["extended_statistic"]) == (f"{unique_name}/slow", "p99")
    assert [alarm["name"] for alarm in rungs.removed["alarms"]] == sorted(
        f"{unique_name}/{name}" for name in ("dead-letter", "waiting", "slow")
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("description", "Something else."),
        ("namespace", "Custom"),
        ("metric_name", "Other"),
        ("dimensions", {"QueueName": "other"}),
        ("statistic", "Minimum"),
        ("period", 60),
        ("unit", "Count"),
        ("comparison_operator", "LessThanThreshold"),
        ("threshold", 1.5),
        ("evaluation_periods", 4),
        ("datapoints_to_alarm", 3),
        ("treat_missing_data", "breaching"),
        ("actions_enabled", False),
        ("alarm_actions", []),
        ("ok_actions", []),
        ("insufficient_data_actions", [TOPIC]),
    ],
)
def test_a_changed_option(
    *,
    run_module: support.RunModule,
    absent: dict[str, Any],
    unique_name: str,
    read_state: Callable[[], Any],
    option: str,
    value: Any,
) -> None:
    tags = {"environment": unique_name}
    alarm = of_a_metric(f"{unique_name}/dead-letter")
    run_module(MODULE, {"alarms": [alarm], "tags": tags})
    changed = support.change_once(run_module, MODULE, {"alarms": [{**alarm, option: value}], "tags": tags}, read_state)
    assert changed["alarms"][0]["changed"]
    run_module(MODULE, absent)


def test_a_changed_expression_and_tags(
    made: support.Result,
    run_module: support.RunModule,
    unique_name: str,
    read_state: Callable[[], Any],
) -> None:
    name = f"{unique_name}/waiting"
    changed = {"alarms": [of_an_expression(name, "IF(visible > 1, age, 0)")]}
    support.change_once(run_module, MODULE, changed, read_state)
    tags = {"environment": unique_name, "team": "data"}
    support.change_once(run_module, MODULE, {**changed, "tags": tags}, read_state)
    assert not run_module(MODULE, changed)["changed"], "unset tags were not left alone"


def test_an_alarm_that_left_the_list_goes_and_others_of_that_prefix_stay(
    made: support.Result, run_module: support.RunModule, aws: Aws, unique_name: str, read_state: Callable[[], Any]
) -> None:
    foreign = {**of_a_metric(f"{unique_name}/foreign")}
    run_module(MODULE, {"alarms": [foreign], "tags": {"environment": "other"}})
    kept = of_a_metric(f"{unique_name}/dead-letter")
    tags = {"environment": unique_name}
    wanted = {"alarms": [kept], "tags": tags, "purge_name_prefix": f"{unique_name}/", "purge_where_tagged": tags}
    result = support.change_once(run_module, MODULE, wanted, read_state)
    assert [alarm["name"] for alarm in result["alarms"] if alarm["changed"]] == [
        f"{unique_name}/slow",
        f"{unique_name}/waiting",
    ]
    left = [alarm["AlarmName"] for alarm, _tags in read_state()]
    assert left == [f"{unique_name}/dead-letter", f"{unique_name}/foreign"]
    run_module(MODULE, {"alarms": [{"name": f"{unique_name}/foreign"}], "state": "absent"})
    assert [alarm["AlarmName"] for alarm, _tags in read_state()] == [f"{unique_name}/dead-letter"]


def test_more_alarms_than_one_read_names(
    run_module: support.RunModule, absent: dict[str, Any], unique_name: str, read_state: Callable[[], Any]
) -> None:
    many = [percentile(f"{unique_name}/{number:03}") for number in range(105)]
    args = {"alarms": many, "tags": {"environment": unique_name}}
    assert run_module(MODULE, args)["changed"]
    assert not run_module(MODULE, args)["changed"]
    assert len(run_module(MODULE, absent)["alarms"]) == 105
    assert read_state() == []


@pytest.mark.parametrize(
    ("lacking", "message"),
    [
        ({"threshold": None}, "needs threshold"),
        ({"metric_name": None}, "needs metric_name"),
        ({"metric_name": None, "namespace": None, "metrics": [{"id": "a", "expression": "1"}]}, "return_data"),
    ],
)
def test_an_incomplete_alarm_is_refused(
    run_module: support.RunModule, unique_name: str, lacking: dict[str, Any], message: str
) -> None:
    alarm = {key: value for key, value in {**of_a_metric(unique_name), **lacking}.items() if value is not None}
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module(MODULE, {"alarms": [alarm]})


def test_a_lost_reply_doubles_nothing(
    run_module: support.RunModule,
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = lose_replies(monkeypatch, "PutMetricAlarm", times=2)
    assert run_module(MODULE, present)["changed"]
    assert len(lost) == 2, "no reply was lost"
    assert len(read_state()) == len(present["alarms"])
    assert all(tags for _alarm, tags in read_state()), "the repeated put lost the tags"
    assert not run_module(MODULE, present)["changed"]
    run_module(MODULE, absent)


def test_info_says_what_each_alarm_says_now(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    alarm = {**of_a_metric(f"{unique_name}/dead-letter"), "namespace": "Test", "evaluation_periods": 1}
    run_module(MODULE, {"alarms": [{**alarm, "datapoints_to_alarm": 1}]})

    def read() -> dict[str, Any]:
        [found] = run_module("cloudwatch_alarms_info", {"name_prefix": f"{unique_name}/"})["alarms"]
        return dict(found)

    assert (read()["name"], read()["state"]) == (alarm["name"], "OK")
    dimensions = [{"Name": "QueueName", "Value": "dead-letter"}]
    datum = {"MetricName": alarm["metric_name"], "Dimensions": dimensions, "Value": 1}
    aws("cloudwatch").put_metric_data(Namespace="Test", MetricData=[datum])
    assert read()["state"] == "ALARM"
