#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_dashboard
short_description: Manage a CloudWatch dashboard
version_added: 0.1.0
description:
  - Creates, changes and deletes a CloudWatch dashboard. Its body is compared as JSON, so
    order of keys and white space do not matter.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Name of the dashboard.
    type: str
    required: true
  body:
    description:
      - The dashboard as CloudWatch defines it, with C(widgets) and whatever else, as a dictionary or as JSON text.
      - Required with O(state=present).
    type: json
  state:
    description: Whether the dashboard exists.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A dashboard with one graph
  sm2a.airflow.cloudwatch_dashboard:
    name: production
    body:
      widgets:
        - type: metric
          x: 0
          y: 0
          width: 12
          height: 6
          properties:
            title: Waiting messages
            region: eu-west-1
            view: timeSeries
            metrics:
              - [AWS/SQS, ApproximateNumberOfMessagesVisible, QueueName, production-default]

- name: No such dashboard
  sm2a.airflow.cloudwatch_dashboard:
    name: production
    state: absent
"""

RETURN = r"""
dashboard:
  description: The dashboard's body after the task, V({}) when it is absent.
  returned: always
  type: dict
messages:
  description: What CloudWatch says against the body, for example a metric with an odd number of dimensions.
  returned: always
  type: list
  elements: str
"""

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.cloudwatch import alarms as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import STATE_OPTION, client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome


def ensure_present(cloudwatch: Any, name: str, body: dict[str, Any], check_mode: bool) -> tuple[Outcome, list[str]]:
    """Write the dashboard when its body differs; also what CloudWatch says against the body."""
    before = api.get_dashboard(cloudwatch, name)
    changed = before != body
    messages = api.put_dashboard(cloudwatch, name, body) if changed and not check_mode else []
    return Outcome(changed, before or {}, body), messages


def ensure_absent(cloudwatch: Any, name: str, check_mode: bool) -> tuple[Outcome, list[str]]:
    """Delete the dashboard when it exists."""
    before = api.get_dashboard(cloudwatch, name)
    if before is not None and not check_mode:
        api.delete_dashboard(cloudwatch, name)
    return Outcome(before is not None, before or {}, {}), []


def parsed(module: AnsibleAWSModule) -> dict[str, Any]:
    """The body as a dictionary; the module fails when it is none."""
    try:
        body = json.loads(module.params["body"])
    except ValueError as error:
        module.fail_json(msg=f"body is not JSON: {error}")
    if not isinstance(body, dict):
        module.fail_json(msg="body must be a JSON object")
    return dict(body)


def main() -> None:
    """Manage the dashboard."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "body": {"type": "json"},
            **STATE_OPTION,
        },
        required_if=[("state", "present", ["body"])],
        supports_check_mode=True,
    )
    name = module.params["name"]
    body = parsed(module) if module.params["state"] == "present" else {}

    def work() -> dict[str, Any]:
        cloudwatch = client(module, "cloudwatch")
        if module.params["state"] == "present":
            outcome, messages = ensure_present(cloudwatch, name, body, module.check_mode)
        else:
            outcome, messages = ensure_absent(cloudwatch, name, module.check_mode)
        for message in messages:
            module.warn(f"CloudWatch on the dashboard {name}: {message}")
        return outcome.result("dashboard", messages=messages)

    exit_with(module, work)


if __name__ == "__main__":
    main()
