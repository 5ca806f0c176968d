# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Refuse unknown and ill-typed variables of every role at once, before anything is changed.

Ansible checks a role's own spec when that role starts, which for the last role is after all others made their
resources, and it never notices a misspelt name.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.as_written import misread
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.check import (
    converted,
    public,
    rule_problems,
    warnings,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.conversion import nulls
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.names import (
    HANDED_ON,
    is_published,
    missing_variables,
    own_variables,
    renamed_variables,
    unknown_variables,
    wired_variables,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import (
    all_specs,
    owner_of,
    role_defaults,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.stack_options import STACK_OPTIONS
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.variables import (
    render_problems,
    rendered,
    waits_for_a_role,
)

display = Display()


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
        specs = all_specs()
        published = [name for name in variables if is_published(name, specs)]
        ours = [name for name in variables if owner_of(name, specs) and name not in (*published, *HANDED_ON)]
        values, failed = rendered(ours, variables, self._templar)
        # What builds on a role that has yet to run is left for that role, and so is what a role's default builds on.
        extra = load_extra_vars(self._loader)
        own = own_variables({name: variables[name] for name in ours}, role_defaults()) | (extra.keys() & {*ours})
        broken = {name: why for name, why in failed.items() if name in own and not waits_for_a_role(variables[name])}
        # Options of the stack stand in the spec of every role.
        spec = {name: option for options in specs.values() for name, option in options.items()} | STACK_OPTIONS
        typed, wrong = converted(values, failed, spec)
        problems = [
            *renamed_variables(own, options["renamed"]),
            *wired_variables(own - options["renamed"].keys(), self._playbook()),
            *unknown_variables(variables, specs, own),
            *(f"{name}: is a fact of SM2A; take it away" for name in sorted(extra.keys() & {*published})),
            *(problem for name in ours for problem in nulls(name, variables[name])),
            *(problem for name in ours for problem in misread(name, variables[name], spec.get(name, {"type": "raw"}))),
            *render_problems(broken, spec),
            *chain.from_iterable(wrong.values()),
            *missing_variables({**values, **failed}, STACK_OPTIONS),
            *rule_problems(typed, wrong.keys() | broken.keys()),
        ]
        if problems:
            lines = [f"- {problem}" for problem in problems]
            raise AnsibleActionFail("\n".join(["Nothing was changed. Wrong variables:", *lines]))
        for warning in warnings(typed):
            display.warning(warning)
        return {
            **result,
            "changed": False,
            "checked": len(ours),
            "ansible_facts": {"sm2a_inputs": public(typed, spec)},
        }

    def _playbook(self) -> Any:
        """The file that the task is in, as YAML has it."""
        path, _colon, _line = str(self._task.get_path()).rpartition(":")
        return yaml_load(Path(path).read_text(encoding="utf-8")) if Path(path).is_file() else []
