#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_alarms
short_description: Manage CloudWatch metric alarms
version_added: 0.1.0
description:
  - Creates, changes and deletes several CloudWatch metric alarms in one go,
    each on a metric or on an expression over metrics.
  - An alarm is written as a whole, so what is not given is what CloudWatch takes by default.
  - Unlike M(amazon.aws.cloudwatch_metric_alarm) it tags alarms, shows a diff, and manages all alarms of an
    environment in the time of one, together with those that are no longer wanted.
author:
  - SM2A contributors (@sm2a)
options:
  alarms:
    description: The alarms. With O(state=absent) only their names count.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the alarm.
        type: str
        required: true
      description:
        description: What the alarm means and what to do about it, at most 1024 characters.
        type: str
        default: ""
      namespace:
        description: Namespace of the metric. Together with O(alarms[].metric_name), in place of O(alarms[].metrics).
        type: str
      metric_name:
        description: Name of the metric.
        type: str
      dimensions:
        description: Dimensions of the metric.
        type: dict
        default: {}
      statistic:
        description: C(SampleCount), C(Average), C(Sum), C(Minimum), C(Maximum), or a percentile such as C(p99).
        type: str
        default: Average
      period:
        description: Seconds of a period of the metric.
        type: int
        default: 60
      unit:
        description: Only values of this unit.
        type: str
      metrics:
        description: Metrics and one expression over them, in the order given.
        type: list
        elements: dict
        suboptions:
          id:
            description: Name of this entry in expressions; begins with a small letter.
            type: str
            required: true
          expression:
            description: Metric math over the ids of other entries, in place of a metric.
            type: str
          label:
            description: What the entry is called.
            type: str
          namespace:
            description: Namespace of the metric.
            type: str
          metric_name:
            description: Name of the metric.
            type: str
          dimensions:
            description: Dimensions of the metric.
            type: dict
            default: {}
          statistic:
            description: Statistic of the metric.
            type: str
            default: Average
          period:
            description: Seconds of a period of the metric.
            type: int
            default: 60
          return_data:
            description: Whether this entry is what the alarm watches; exactly one is.
            type: bool
            default: false
      comparison_operator:
        description: How a value is compared with O(alarms[].threshold). Required with O(state=present).
        type: str
        choices:
          - GreaterThanOrEqualToThreshold
          - GreaterThanThreshold
          - LessThanThreshold
          - LessThanOrEqualToThreshold
      threshold:
        description: Value to compare with. Required with O(state=present).
        type: float
      evaluation_periods:
        description: How many of the latest periods are looked at.
        type: int
        default: 1
      datapoints_to_alarm:
        description: How many of them must breach. All of them when unset.
        type: int
      treat_missing_data:
        description: What a period without data counts as.
        type: str
        choices: [breaching, notBreaching, ignore, missing]
        default: missing
      actions_enabled:
        description: Whether a change of state does anything.
        type: bool
        default: true
      alarm_actions:
        description: ARNs to act on when the alarm fires.
        type: list
        elements: str
        default: []
      ok_actions:
        description: ARNs to act on when it is over.
        type: list
        elements: str
        default: []
      insufficient_data_actions:
        description: ARNs to act on when there are no data.
        type: list
        elements: str
        default: []
  purge_name_prefix:
    description:
      - Alarms whose name starts so, that carry all of O(purge_where_tagged) and are not in O(alarms), are deleted.
    type: str
  purge_where_tagged:
    description: Tags that an alarm must carry to be deleted through O(purge_name_prefix).
    type: dict
    default: {}
  state:
    description: Whether the alarms exist. With V(absent) O(purge_name_prefix) takes those along that are not named.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: Tell the people on call when messages were given up
  sm2a.airflow.cloudwatch_alarms:
    alarms:
      - name: production/dead-letter-queue
        description: A message was received too often.
        namespace: AWS/SQS
        metric_name: ApproximateNumberOfMessagesVisible
        dimensions:
          QueueName: production-dead-letter
        statistic: Maximum
        period: 60
        comparison_operator: GreaterThanThreshold
        threshold: 0
        treat_missing_data: notBreaching
        alarm_actions: ["arn:aws:sns:eu-west-1:123456789012:production-alarms"]
    tags:
      environment: production
    purge_name_prefix: production/
    purge_where_tagged:
      environment: production

- name: No alarms of this environment
  sm2a.airflow.cloudwatch_alarms:
    alarms: []
    purge_name_prefix: production/
    purge_where_tagged:
      environment: production
    state: absent
"""

RETURN = r"""
alarms:
  description: Each alarm after the task, those that were deleted only with their names.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the alarm.
      type: str
      returned: always
    changed:
      description: Whether this alarm changed.
      type: bool
      returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.cloudwatch import alarms as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, list_result


def ensure_present(
    cloudwatch: Any, options: dict[str, Any], alarm: dict[str, Any], current: dict[str, Any] | None, check_mode: bool
) -> Outcome:
    """Write the alarm when it is not as declared; CloudWatch takes tags with a new alarm only."""
    wanted = api.wanted_alarm(alarm)
    existing_tags = api.alarm_tags(cloudwatch, current["AlarmArn"]) if current else {}
    tags = tag_change(existing_tags, options["tags"], options["purge_tags"])
    before = {**api.view(current), "tags": existing_tags} if current else {}
    after = {**api.view(wanted), "tags": tags.result}
    if not check_mode:
        if current is None:
            api.put_alarm(cloudwatch, wanted, tags.result)
        else:
            if api.view(current) != api.view(wanted):
                api.put_alarm(cloudwatch, wanted, {})
            if tags:
                api.set_tags(cloudwatch, current["AlarmArn"], tags)
    return Outcome(before != after, before, after)


def surplus(cloudwatch: Any, options: dict[str, Any], named: dict[str, dict[str, Any]]) -> list[str]:
    """Names of the alarms below the prefix that are not in ``named`` and carry the tags."""
    if not options["purge_name_prefix"]:
        return []
    tags = {key: str(value) for key, value in options["purge_where_tagged"].items()}
    found = api.alarms_below(cloudwatch, options["purge_name_prefix"])
    return sorted(
        name
        for name, alarm in found.items()
        if name not in named and tags.items() <= api.alarm_tags(cloudwatch, alarm["AlarmArn"]).items()
    )


def run(cloudwatch: Any, options: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Every alarm, then those that left the list."""
    declared = {alarm["name"]: alarm for alarm in options["alarms"]}
    current = api.alarms_named(cloudwatch, list(declared))
    outcomes = {}
    removed = surplus(cloudwatch, options, declared)
    if options["state"] == "present":
        for name, alarm in declared.items():
            outcomes[name] = ensure_present(cloudwatch, options, alarm, current.get(name), check_mode)
    else:
        removed = sorted(current) + removed
        outcomes = {name: Outcome(False) for name in declared}
    outcomes |= {name: Outcome(True, {"name": name}, {}) for name in removed}
    if removed and not check_mode:
        api.delete_alarms(cloudwatch, removed)
    return list_result(outcomes, "alarms")


def main() -> None:
    """Manage the alarms."""
    module = AnsibleAWSModule(
        argument_spec={
            "alarms": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": api.ALARM_OPTIONS,
                "mutually_exclusive": [("metrics", "metric_name"), ("metrics", "namespace")],
            },
            "purge_name_prefix": {"type": "str"},
            "purge_where_tagged": {"type": "dict", "default": {}},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    problem = api.incomplete(module.params)
    if problem:
        module.fail_json(msg=problem)
    exit_with(module, lambda: run(client(module, "cloudwatch"), module.params, module.check_mode))


if __name__ == "__main__":
    main()
