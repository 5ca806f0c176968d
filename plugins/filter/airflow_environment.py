# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Airflow's configuration as environment variables."""

from __future__ import annotations

DOCUMENTATION = r"""
name: airflow_environment
version_added: 0.1.0
short_description: Airflow options as environment variables
description:
  - Turns options by section and name into the variables C(AIRFLOW__SECTION__OPTION) that Airflow reads.
  - Text stays as it is, everything else becomes JSON, except that V(true) and V(false) become C(True) and C(False).
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: Section to option to value.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show one variable
  ansible.builtin.debug:
    msg: "{{ {'core': {'parallelism': 64}} | sm2a.airflow.airflow_environment }}"
    # {"AIRFLOW__CORE__PARALLELISM": "64"}
"""

RETURN = r"""
_value:
  description: Variable to text.
  type: dict
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def airflow_environment(sections: Any) -> dict[str, str]:
    """``{"core": {"parallelism": 64}}`` -> ``{"AIRFLOW__CORE__PARALLELISM": "64"}``."""
    environment: dict[str, str] = {}
    for section, options in _items(sections, "the configuration"):
        for option, value in _items(options, f"section {section}"):
            environment[f"AIRFLOW__{section.upper().replace('.', '_')}__{option.upper()}"] = _text(value)
    return environment


def _items(value: Any, what: str) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise AnsibleFilterError(f"airflow_environment: {what} must be a dictionary, not {value!r}")
    return [(str(key), item) for key, item in value.items()]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    return str(value) if isinstance(value, bool) else json.dumps(value)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"airflow_environment": airflow_environment}
