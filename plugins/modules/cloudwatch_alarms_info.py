#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_alarms_info
short_description: Describe CloudWatch alarms by the start of their names
version_added: 0.2.0
description:
  - Reads the metric alarms of this account and region whose names begin with a prefix.
  - It runs in a fork of ansible-playbook, so that C(-vvv) shows no credentials that are in the environment of the task,
    as it does for M(amazon.aws.cloudwatch_metric_alarm_info).
author:
  - SM2A contributors (@sm2a)
options:
  name_prefix:
    description: Start of the names.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
"""

EXAMPLES = r"""
- name: Read the alarms of an environment
  sm2a.airflow.cloudwatch_alarms_info:
    name_prefix: staging/
  register: alarms
"""

RETURN = r"""
alarms:
  description:
    - The alarms, by name. What is not listed here is named as in O(sm2a.airflow.cloudwatch_alarms#module:alarms).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the alarm.
      type: str
      returned: always
    state:
      description: What the alarm says now, V(OK), V(ALARM) or V(INSUFFICIENT_DATA).
      type: str
      returned: always
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.cloudwatch.alarms import alarms_below, view
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with


def main() -> None:
    """Read the alarms."""
    module = AnsibleAWSModule(
        argument_spec={"name_prefix": {"type": "str", "required": True}}, supports_check_mode=True
    )

    def alarms() -> dict[str, object]:
        found = alarms_below(client(module, "cloudwatch"), module.params["name_prefix"])
        states = {name: {"name": name, "state": alarm["StateValue"]} for name, alarm in sorted(found.items())}
        return {"changed": False, "alarms": [{**view(found[name]), **states[name]} for name in states]}

    exit_with(module, alarms)


if __name__ == "__main__":
    main()
