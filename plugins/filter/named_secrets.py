# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values given by name as the secrets that ``secretsmanager_secret`` manages."""

from __future__ import annotations

DOCUMENTATION = r"""
name: named_secrets
version_added: 0.1.0
short_description: Values by name as a list of secrets
description:
  - Turns a dictionary of values into the option C(secrets) of M(sm2a.airflow.secretsmanager_secret).
  - With C(*) in O(prefix) it is a dictionary of such dictionaries, and each of its names takes the place of the C(*).
  - A value that is a dictionary with the only key C(value_from) says where the module finds it.
  - Errors name the entry and never show a value.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: Name to value.
    type: dict
    required: true
  prefix:
    description: Start of every secret's name, such as V(staging/variables/) or V(staging/groups/*/variables/).
    type: str
    required: true
  options:
    description: Further options of every secret, such as C(tags).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: A variable, and a connection that the module reads from the environment
  sm2a.airflow.secretsmanager_secret:
    secrets: "{{ given | sm2a.airflow.named_secrets('airflow/variables/') }}"
  vars:
    given:
      greeting: hello
      warehouse:
        value_from:
          environment: WAREHOUSE_PASSWORD
"""

RETURN = r"""
_value:
  description: A dictionary with C(name) and either C(value) or C(value_from) for each value.
  type: list
  elements: dict
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

# What Secrets Manager takes in a name, without the slash: an Airflow id is the last part of it.
NAME = re.compile(r"[A-Za-z0-9_+=.@-]+")
SOURCE = "value_from"
ANY = "*"


def named_secrets(given: Any, prefix: str, options: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """``{"greeting": "hello"}`` -> ``[{"name": "<prefix>greeting", "value": "hello"}]``."""
    if not isinstance(given, Mapping):
        raise AnsibleFilterError("named_secrets: the values must be a dictionary of name to value")
    if ANY in prefix:
        checked = {group_name(group): values for group, values in given.items()}
        lists = (named_secrets(values, prefix.replace(ANY, group), options) for group, values in checked.items())
        return [each for secrets in lists for each in secrets]
    return [{**secret(str(name), value, prefix), **(options or {})} for name, value in given.items()]


def group_name(group: Any) -> str:
    """The name of a group of values, which becomes a part of the names of its secrets."""
    if not NAME.fullmatch(str(group)):
        raise AnsibleFilterError(f"named_secrets: {group!r} is not a valid group name")
    return str(group)


def secret(name: str, value: Any, prefix: str) -> dict[str, Any]:
    """One secret."""
    if not NAME.fullmatch(name):
        raise AnsibleFilterError(f"named_secrets: {name!r} has characters that Secrets Manager does not allow in names")
    if value is None:
        raise AnsibleFilterError(f"named_secrets: {name} has no value")
    if isinstance(value, Mapping) and set(value) == {SOURCE}:
        return {"name": prefix + name, SOURCE: value[SOURCE]}
    return {"name": prefix + name, "value": value}


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"named_secrets": named_secrets}
