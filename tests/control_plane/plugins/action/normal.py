# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Run the modules of this collection inside the worker that ansible-playbook forked for the task.

A module in a process of its own spends most of its time importing boto3 and parsing service models. The callback
``recorded_results`` has loaded both in the parent. Every other module runs as always.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
from typing import Any

from ansible.module_utils.testing import patch_module_args
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash
from ansible.vars.clean import remove_internal_keys

OURS = "sm2a.airflow."


class ActionModule(ActionBase):  # type: ignore[misc]
    """In the place of ``ansible.legacy.normal``, which runs every module that has no action plugin of its own."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        name: str = self._task.action
        ours = name.startswith(OURS)
        returned = self._run_here(name, task_vars) if ours else self._execute_module(task_vars=task_vars)
        result = merge_hash(result, returned)
        self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _run_here(self, name: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        module_arguments = dict(self._task.args)
        self._update_module_args(name, module_arguments, task_vars)
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        # This worker ends with the task.
        os.environ.update({key: str(value) for key, value in environment.items()})
        printed = run_module(name.removeprefix(OURS), module_arguments)
        data: dict[str, Any] = self._parse_returned_data({"stdout": printed, "stderr": ""}, "legacy")
        remove_internal_keys(data)
        return data


def run_module(name: str, arguments: dict[str, Any]) -> str:
    """The JSON document that the module prints for these arguments."""
    module = importlib.import_module(f"ansible_collections.sm2a.airflow.plugins.modules.{name}")
    output = io.StringIO()
    with patch_module_args(arguments), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        module.main()
    lines = [line for line in output.getvalue().splitlines() if line.startswith("{")]
    return lines[-1] if lines else json.dumps({"failed": True, "msg": f"{name} printed no result"})
