# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Check the options of the role that the task is in, and publish them in the types that it declares."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs import requirements
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.as_written import misread
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.check import converted, public, rule_problems
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.names import missing_variables
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import MAIN, role_spec
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.variables import render_problems, rendered


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs on the controller; connects nowhere and changes nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Publish the fact ``<role>_inputs``; fail with one sentence for each wrong option."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec={"entry_point": {"type": "str", "default": MAIN}})
        role = self._role()
        spec = role_spec(role, options["entry_point"])
        variables = task_vars or {}
        given = [name for name in spec if name in variables]
        values, failed = rendered(given, variables, self._templar)
        typed, wrong = converted(values, failed, spec)
        problems = [
            *render_problems(failed, spec),
            *(problem for name in given for problem in misread(name, variables[name], spec[name])),
            *missing_variables({**values, **failed}, spec),
            *chain.from_iterable(wrong.values()),
            *requirements.problems(role, options["entry_point"], {**typed, **failed}),
            *rule_problems(typed, wrong.keys() | failed.keys()),
        ]
        if problems:
            raise AnsibleActionFail(
                "\n".join([f"Wrong variables of role {role}:", *(f"- {line}" for line in problems)])
            )
        inputs = {
            name.removeprefix(f"{role}_"): value for name, value in public(typed, spec).items() if value is not None
        }
        return {**result, "changed": False, "ansible_facts": {f"{role}_inputs": inputs}}

    def _role(self) -> str:
        """Name of the role that the task is in."""
        if self._task._role is None:
            raise AnsibleActionFail("sm2a.airflow.role_inputs is for the tasks of a role")
        return Path(self._task._role._role_path).name
