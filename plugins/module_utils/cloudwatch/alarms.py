# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""CloudWatch alarms and dashboards: one function per API call, then the options as the API's own words.

Alarms and dashboards are put as a whole under their names: a put that is repeated after a lost reply changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import TagChange, call

# CloudWatch's limits on one call.
NAMES_OF_ONE_READ = 100
NAMES_OF_ONE_DELETE = 100
BASIC_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")

METRIC_OPTIONS: dict[str, dict[str, Any]] = {
    "namespace": {"type": "str"},
    "metric_name": {"type": "str"},
    "dimensions": {"type": "dict", "default": {}},
    "statistic": {"type": "str", "default": "Average"},
    "period": {"type": "int", "default": 60},
}
ALARM_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str", "default": ""},
    **METRIC_OPTIONS,
    "unit": {"type": "str"},
    "metrics": {
        "type": "list",
        "elements": "dict",
        "options": {
            "id": {"type": "str", "required": True},
            "expression": {"type": "str"},
            "label": {"type": "str"},
            **METRIC_OPTIONS,
            "return_data": {"type": "bool", "default": False},
        },
        "mutually_exclusive": [("expression", "metric_name"), ("expression", "namespace")],
    },
    "comparison_operator": {
        "type": "str",
        "choices": [
            "GreaterThanOrEqualToThreshold",
            "GreaterThanThreshold",
            "LessThanThreshold",
            "LessThanOrEqualToThreshold",
        ],
    },
    "threshold": {"type": "float"},
    "evaluation_periods": {"type": "int", "default": 1},
    "datapoints_to_alarm": {"type": "int"},
    "treat_missing_data": {
        "type": "str",
        "choices": ["breaching", "notBreaching", "ignore", "missing"],
        "default": "missing",
    },
    "actions_enabled": {"type": "bool", "default": True},
    "alarm_actions": {"type": "list", "elements": "str", "default": []},
    "ok_actions": {"type": "list", "elements": "str", "default": []},
    "insufficient_data_actions": {"type": "list", "elements": "str", "default": []},
}


@call("read alarms")
def alarms_named(cloudwatch: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """The metric alarms of these names, by name."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(names), NAMES_OF_ONE_READ):
        some = names[start : start + NAMES_OF_ONE_READ]
        reply = cloudwatch.describe_alarms(AlarmNames=some, AlarmTypes=["MetricAlarm"], MaxRecords=NAMES_OF_ONE_READ)
        found.update({alarm["AlarmName"]: alarm for alarm in reply["MetricAlarms"]})
    return found


@call("read alarms")
def alarms_below(cloudwatch: Any, prefix: str) -> dict[str, dict[str, Any]]:
    """The metric alarms whose names start so, by name."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"])
    return {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}


@call("read the tags of an alarm", missing=("ResourceNotFoundException", "ResourceNotFound"), default={})
def alarm_tags(cloudwatch: Any, arn: str) -> dict[str, str]:
    """Tags of an alarm."""
    return {tag["Key"]: tag["Value"] for tag in cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}


@call("write an alarm")
def put_alarm(cloudwatch: Any, alarm: dict[str, Any], tags: dict[str, str]) -> None:
    """Create the alarm with its tags, or replace what it was; tags of an existing alarm stay as they are."""
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    cloudwatch.put_metric_alarm(**alarm, **({"Tags": pairs} if pairs else {}))


@call("tag an alarm")
def set_tags(cloudwatch: Any, arn: str, change: TagChange) -> None:
    """Set and remove tags."""
    if change.remove:
        cloudwatch.untag_resource(ResourceARN=arn, TagKeys=change.remove)
    if change.set:
        pairs = [{"Key": key, "Value": value} for key, value in change.set.items()]
        cloudwatch.tag_resource(ResourceARN=arn, Tags=pairs)


@call("delete alarms", missing=("ResourceNotFound", "ResourceNotFoundException"))
def delete_alarms(cloudwatch: Any, names: list[str]) -> None:
    """Delete the alarms."""
    for start in range(0, len(names), NAMES_OF_ONE_DELETE):
        cloudwatch.delete_alarms(AlarmNames=names[start : start + NAMES_OF_ONE_DELETE])


def incomplete(options: Mapping[str, Any]) -> str | None:
    """Why the alarms cannot be written, None when they can."""
    if options["state"] == "absent":
        return None
    for alarm in options["alarms"]:
        missing = [name for name in ("comparison_operator", "threshold") if alarm[name] is None]
        if not alarm["metrics"]:
            missing += [name for name in ("namespace", "metric_name") if not alarm[name]]
        elif sum(entry["return_data"] for entry in alarm["metrics"]) != 1:
            missing.append("exactly one entry of metrics with return_data")
        if missing:
            return f"alarm {alarm['name']} needs {', '.join(missing)}"
    return None


def wanted_alarm(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """The members of PutMetricAlarm."""
    wanted: dict[str, Any] = {
        "AlarmName": alarm["name"],
        "AlarmDescription": alarm["description"],
        "ActionsEnabled": alarm["actions_enabled"],
        "OKActions": alarm["ok_actions"],
        "AlarmActions": alarm["alarm_actions"],
        "InsufficientDataActions": alarm["insufficient_data_actions"],
        "EvaluationPeriods": alarm["evaluation_periods"],
        "DatapointsToAlarm": alarm["datapoints_to_alarm"] or alarm["evaluation_periods"],
        "Threshold": alarm["threshold"],
        "ComparisonOperator": alarm["comparison_operator"],
        "TreatMissingData": alarm["treat_missing_data"],
    }
    if alarm["metrics"]:
        return {**wanted, "Metrics": [_metric_query(entry) for entry in alarm["metrics"]]}
    statistic = "Statistic" if alarm["statistic"] in BASIC_STATISTICS else "ExtendedStatistic"
    wanted |= {**_metric(alarm), "Period": alarm["period"], statistic: alarm["statistic"]}
    return {**wanted, "Unit": alarm["unit"]} if alarm["unit"] else wanted


def _metric(options: Mapping[str, Any]) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": str(value)} for name, value in sorted(options["dimensions"].items())]
    return {"Namespace": options["namespace"], "MetricName": options["metric_name"], "Dimensions": dimensions}


def _metric_query(entry: Mapping[str, Any]) -> dict[str, Any]:
    query: dict[str, Any] = {"Id": entry["id"], "ReturnData": entry["return_data"]}
    if entry["label"]:
        query["Label"] = entry["label"]
    if entry["expression"]:
        return {**query, "Expression": entry["expression"]}
    stat = {"Metric": _metric(entry), "Period": entry["period"], "Stat": entry["statistic"]}
    return {**query, "MetricStat": stat}


def view(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """What alarms are compared by and shown as, the same from what was read as from what is wanted."""
    result: dict[str, Any] = camel_dict_to_snake_dict(_comparable(alarm), ignore_list=("Dimensions",))
    return result


def _comparable(alarm: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        *("AlarmDescription", "ActionsEnabled", "ComparisonOperator", "Threshold", "EvaluationPeriods"),
        *("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Unit", "Period", "TreatMissingData"),
    )
    same = {name: alarm[name] for name in names if alarm.get(name) not in (None, "")}
    same["TreatMissingData"] = alarm.get("TreatMissingData") or "missing"
    same["DatapointsToAlarm"] = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    # CloudWatch keeps no order of actions, dimensions and metrics.
    for name in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        same[name] = sorted(alarm.get(name) or [])
    if alarm.get("Metrics"):
        return {**same, "Metrics": sorted((_comparable_query(query) for query in alarm["Metrics"]), key=_id)}
    return {**same, "Dimensions": _dimensions(alarm)}


def _id(query: Mapping[str, Any]) -> str:
    return str(query["Id"])


def _dimensions(metric: Mapping[str, Any]) -> dict[str, str]:
    return {
        item["Name"]: item["Value"] for item in sorted(metric.get("Dimensions") or [], key=lambda item: item["Name"])
    }


def _comparable_query(query: Mapping[str, Any]) -> dict[str, Any]:
    same = {name: query[name] for name in ("Id", "Expression", "Label") if query.get(name)}
    same["ReturnData"] = query.get("ReturnData", True)
    if query.get("MetricStat"):
        stat = query["MetricStat"]
        same |= {name: stat["Metric"][name] for name in ("Namespace", "MetricName")}
        same |= {"Dimensions": _dimensions(stat["Metric"]), "Period": stat["Period"], "Stat": stat["Stat"]}
    return same


@call("read the dashboard", missing=("ResourceNotFound", "ResourceNotFoundException", "DashboardNotFoundError"))
def get_dashboard(cloudwatch: Any, name: str) -> dict[str, Any] | None:
    """The dashboard's body; None when there is no such dashboard."""
    body: dict[str, Any] = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
    return body


@call("write the dashboard")
def put_dashboard(cloudwatch: Any, name: str, body: Mapping[str, Any]) -> list[str]:
    """Create or replace the dashboard; returns what CloudWatch has to say against its body."""
    reply = cloudwatch.put_dashboard(DashboardName=name, DashboardBody=json.dumps(body, separators=(",", ":")))
    return [f"{item['DataPath']}: {item['Message']}" for item in reply.get("DashboardValidationMessages", [])]


@call("delete the dashboard", missing=("ResourceNotFound", "ResourceNotFoundException", "DashboardNotFoundError"))
def delete_dashboard(cloudwatch: Any, name: str) -> None:
    """Delete the dashboard."""
    cloudwatch.delete_dashboards(DashboardNames=[name])
