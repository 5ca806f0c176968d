# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The secret options of each component."""

from __future__ import annotations

DOCUMENTATION = r"""
name: component_secrets
version_added: 0.1.0
short_description: The secret options that a component reads from Secrets Manager
description:
  - Last parts of the names of the secrets that a component reads below C(config) of its environment.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: Name of the component, such as V(api_server).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what workers read
  ansible.builtin.debug:
    msg: "{{ 'worker' | sm2a.airflow.component_secrets }}"
    # ["api_secret_key", "result_backend"]
"""

RETURN = r"""
_value:
  description: Last parts of names.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.secret_readers import CONFIGURATION


def component_secrets(component: str) -> list[str]:
    """``worker`` -> ``["api_secret_key", "result_backend"]``."""
    return list(CONFIGURATION[component])


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"component_secrets": component_secrets}
