# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The task role of each group of workers."""

from __future__ import annotations

DOCUMENTATION = r"""
name: worker_task_roles
version_added: 0.1.0
short_description: The task role of each group of workers
description:
  - A group with C(own_task_role), C(policy_statements) or C(policy_arns) has a task role of its own. All others share
    one.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: The groups, as C(airflow_worker_groups) has them.
    type: list
    elements: dict
    required: true
  environment:
    description: Name of the environment, with which the names of its roles begin.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the roles
  ansible.builtin.debug:
    msg: "{{ groups | sm2a.airflow.worker_task_roles('staging') | map(attribute='name') }}"
    # ["staging-worker", "staging-worker-payments"]
  vars:
    groups:
      - {name: default, queue: default}
      - {name: payments, queue: payments, own_task_role: true}
"""

RETURN = r"""
_value:
  description:
    - A dictionary for each group, with C(group), C(queue), C(name) (of the role) and C(own) (whether no other group has
      the role).
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.worker_roles import worker_task_roles


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"worker_task_roles": worker_task_roles}
