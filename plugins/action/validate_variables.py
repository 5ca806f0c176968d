# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Refuse unknown and ill-typed variables of every role at once, before anything is changed.

Ansible checks a role's own spec when that role starts, which for the last role is after all others made their
resources, and it never notices a misspelt name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleUndefinedVariable
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible_collections.sm2a.airflow.plugins.plugin_utils.airflow_checks import problems as airflow_problems
from ansible_collections.sm2a.airflow.plugins.plugin_utils.database_checks import problems as database_problems
from ansible_collections.sm2a.airflow.plugins.plugin_utils.network_checks import problems as network_problems
from ansible_collections.sm2a.airflow.plugins.plugin_utils.stack_options import STACK_OPTIONS
from ansible_collections.sm2a.airflow.plugins.plugin_utils.variable_check import (
    ill_typed_variables,
    missing_variables,
    owner_of,
    renamed_variables,
    typed_variables,
    unknown_variables,
)

ROLES = Path(__file__).resolve().parents[2] / "roles"


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs on the controller; connects nowhere and changes nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Publish the fact ``sm2a_inputs``; fail with one sentence for each wrong variable."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec={"renamed": {"type": "dict", "default": {}}})
        variables = task_vars or {}
        specs = {"sm2a": STACK_OPTIONS, **role_specs()}
        ours = [name for name in variables if owner_of(name, specs)]
        values = self._values(ours, variables)
        problems = [
            *renamed_variables(values, options["renamed"], specs),
            *unknown_variables(ours, specs),
            *ill_typed_variables(values, specs),
            *missing_variables(values, STACK_OPTIONS),
        ]
        # What argument_specs cannot say; only values of the right type can be compared.
        problems = problems or [*airflow_problems(values), *network_problems(values), *database_problems(values)]
        if problems:
            lines = [f"- {problem}" for problem in problems]
            raise AnsibleActionFail("\n".join(["Nothing was changed. Wrong variables:", *lines]))
        unresolved = set(ours) - values.keys()
        inputs = {
            name: value for spec in specs.values() for name, value in typed_variables(values, unresolved, spec).items()
        }
        return {**result, "changed": False, "checked": len(ours), "ansible_facts": {"sm2a_inputs": inputs}}

    def _values(self, names: list[str], variables: Mapping[str, Any]) -> dict[str, Any]:
        """Templated values; one that builds on the fact of a role that has yet to run is left for that role."""
        values = {}
        for name in names:
            try:
                values[name] = self._templar.template(variables[name])
            except AnsibleUndefinedVariable:
                continue
        return values


def role_specs() -> dict[str, dict[str, dict[str, Any]]]:
    """Options of every role's main entry point, by role name."""
    specs = {}
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        document = yaml_load(path.read_text(encoding="utf-8"))
        options: dict[str, dict[str, Any]] = {}
        for entry_point in document["argument_specs"].values():
            options.update(entry_point.get("options", {}))
        specs[path.parents[1].name] = options
    return specs
