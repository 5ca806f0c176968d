# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The ECS task definitions of Airflow."""

from __future__ import annotations

DOCUMENTATION = r"""
name: airflow_task_definitions
version_added: 0.1.0
short_description: The ECS task definitions of Airflow's components and worker groups
description:
  - For the role airflow. One task definition for each component and each group of workers, as
    M(sm2a.airflow.ecs_task_definition) takes them.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: Name of a component to what makes it different, C(role), C(command), C(cpu) and C(memory).
    type: dict
    required: true
  groups:
    description: The groups of workers, as C(airflow_worker_groups) has them.
    type: list
    elements: dict
    required: true
  environments:
    description:
      - Environment variables. C(everywhere) and C(chosen) are lists of dictionaries, C(by_role) has such lists by role,
        C(by_group) dictionaries by group. Where two have a name, the later of these four counts.
    type: dict
    required: true
  settings:
    description:
      - What all have in common, the fields of C(Settings) in C(plugin_utils/task_definitions.py).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the task definitions
  ansible.builtin.debug:
    msg: "{{ components | sm2a.airflow.airflow_task_definitions(groups, environments, settings) }}"
"""

RETURN = r"""
_value:
  description: The task definitions.
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.task_definitions import (
    Environments,
    Settings,
    task_definitions,
)


def airflow_task_definitions(
    components: Mapping[str, Mapping[str, Any]],
    groups: Iterable[Mapping[str, Any]],
    environments: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """See `task_definitions`."""
    return task_definitions(components, groups, Environments(**environments), Settings(**settings))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"airflow_task_definitions": airflow_task_definitions}
