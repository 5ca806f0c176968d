# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A container definition that can use Airflow's metadata database."""

from __future__ import annotations

DOCUMENTATION = r"""
name: database_client
version_added: 0.1.0
short_description: A container definition that can use Airflow's metadata database
description:
  - Adds to a container definition what it needs to use the database beside the URI. Certificate authorities that are
    not in the image are written into a file as the container starts.
  - Where the database is stands in the environment, so that a service starts anew when that changes.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: >-
      The container definition, as M(sm2a.airflow.ecs_task_definition) takes it, with C(command) and C(environment).
    type: dict
    required: true
  database:
    description:
      - The database, as in C(database_outputs), of which C(address), C(port), C(database_name) and C(ca_certificates)
        count.
      - An empty dictionary changes nothing.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the container of the autoscaler
  ansible.builtin.debug:
    msg: "{{ container | sm2a.airflow.database_client(database_outputs) }}"
"""

RETURN = r"""
_value:
  description: The container definition.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.database_client import database_client


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"database_client": database_client}
