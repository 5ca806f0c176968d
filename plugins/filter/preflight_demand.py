# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an inventory asks of AWS."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight_demand
version_added: 0.1.0
short_description: What an inventory asks of AWS
description:
  - From the variables of an environment, everything of which an account has a quota, every name that the environment
    takes, and every feature that AWS does not have everywhere.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: The fact C(sm2a_inputs), which M(sm2a.airflow.validate_variables) sets.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show how many vCPU of Fargate the environment needs to start with
  ansible.builtin.debug:
    msg: "{{ (sm2a_inputs | sm2a.airflow.preflight_demand).fargate | map(attribute='at_start') | sum }}"
"""

RETURN = r"""
_value:
  description: Options of M(sm2a.airflow.environment_preflight_info); what is not asked for is left out.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.preflight.demand import preflight_demand


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"preflight_demand": preflight_demand}
