# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with variables of Airflow beyond their types."""

from __future__ import annotations

DOCUMENTATION = r"""
name: airflow_problems
version_added: 0.1.0
short_description: What is wrong with variables of the roles airflow and images beyond their types
description:
  - Judges Airflow options, worker groups, sizes of Fargate tasks, the source of the DAGs and names of images together.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: Variables by name. Those that are not given are not judged.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ {'airflow_scheduler_cpu': 1024, 'airflow_scheduler_memory': 1000} | sm2a.airflow.airflow_problems }}"
    # ["airflow_scheduler_cpu, airflow_scheduler_memory: with 1024 CPU units Fargate offers 2048 to 8192 ..."]
"""

RETURN = r"""
_value:
  description: One sentence for each problem, empty when there is none.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.airflow_checks import problems


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"airflow_problems": problems}
