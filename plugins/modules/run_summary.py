#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

# Virtual module: the work is done by the action plugin of the same name.

from __future__ import annotations

DOCUMENTATION = r"""
module: run_summary
version_added: 0.2.0
short_description: Sum up what a run of a playbook changed
description:
  - Is the last task of a playbook, in the C(always) section of its block, so that it also runs after a failure.
  - Counts what the modules of this collection created, changed and deleted for the host since ansible-playbook was
    started, by the kind of the resource. In check mode these are the changes that a run would make.
  - Sets the custom statistics C(sm2a_summary) of the run, as M(ansible.builtin.set_stats) does, with a member for each
    environment. AWX and Automation Platform show them as artifacts of the job and hand them to the next jobs of a
    workflow, as an extra variable.
  - Prints nothing itself; RV(lines) are for M(ansible.builtin.debug).
options:
  environment:
    description: Name of the environment.
    type: str
    required: true
  region:
    description: Its Region.
    type: str
    required: true
  url:
    description: Address of its Airflow.
    type: str
    default: ""
  notes:
    description: Further lines for the reader.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - sm2a.airflow.attributes.action
author:
  - SM2A contributors (@sm2a)
"""

EXAMPLES = r"""
- name: Sum up what the run changed
  sm2a.airflow.run_summary:
    environment: staging
    region: eu-west-1
    url: https://airflow.example.com
  register: summary

- name: Print it
  ansible.builtin.debug:
    msg: "{{ summary.lines }}"
"""

RETURN = r"""
lines:
  description: The summary for people.
  returned: success
  type: list
  elements: str
  sample:
    - site.yml for staging in eu-west-1
    - "Airflow: https://airflow.example.com"
    - "Changes: 2 created, 1 changed"
    - "- ECS services: 1 changed"
    - "- SQS queues: 2 created"
    - "Time: 4 min 30 s"
summary:
  description: The same as data, which is also C(sm2a_summary[environment]) of the statistics.
  returned: success
  type: dict
  contains:
    environment: {description: As the option., type: str, returned: always}
    region: {description: As the option., type: str, returned: always}
    playbook: {description: Name of the playbook., type: str, returned: always}
    url: {description: As the option., type: str, returned: always}
    complete: {description: Whether no task of the play has failed for this host., type: bool, returned: always}
    check_mode: {description: Whether the changes are predicted only., type: bool, returned: always}
    changes:
      description: How many resources were C(created), C(changed) and C(deleted).
      type: dict
      returned: always
    changes_by_kind: {description: The same for each kind of resource., type: dict, returned: always}
    seconds:
      description: Since ansible-playbook was started; V(null) where the system does not tell.
      type: int
      returned: always
"""
