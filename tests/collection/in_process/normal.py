"""Runs the AWS modules in the worker process of ansible-playbook, which has boto3 loaded: a third of the time.

Used where ANSIBLE_ACTION_PLUGINS names this folder, so that ansible-core takes it for its own plugin ``normal``.
Arguments, environment, result and check mode are what a module in a process of its own would get and give.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
from collections.abc import Iterator
from typing import Any

from ansible.module_utils import basic
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.plugins.action import ActionBase

COLLECTIONS = ("sm2a.airflow.", "amazon.aws.")
PROFILE = "legacy"


@contextlib.contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """With ``variables`` in the environment, until the end of the block."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class ActionModule(ActionBase):  # type: ignore[misc]
    """Modules of COLLECTIONS run here, others in a process of their own as ever."""

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        name = self._task.resolved_action or self._task.action
        if name.startswith(COLLECTIONS) and not self._task.async_val:
            return {**result, **self.run_here(name, task_vars)}
        has_own_way = self._connection.has_native_async
        wrap_async = bool(self._task.async_val) and not has_own_way
        result.update(self._execute_module(task_vars=task_vars, wrap_async=wrap_async))
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return dict(result)

    def run_here(self, name: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """What the module printed, read as ansible-core reads it."""
        arguments = dict(self._task.args)
        self._update_module_args(name, arguments, task_vars)
        encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
        variables: dict[str, str] = {}
        self._compute_environment_string(variables)
        namespace, collection, module = name.split(".", 2)
        code = importlib.import_module(f"ansible_collections.{namespace}.{collection}.plugins.modules.{module}")
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=encoder).encode()
        basic._ANSIBLE_PROFILE = PROFILE
        said = io.StringIO()
        with environment(variables), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            code.main()
        returned = self._parse_returned_data({"stdout": said.getvalue(), "stderr": ""}, PROFILE)
        # An object since ansible-core 2.21.
        return dict(returned) if isinstance(returned, dict) else dict(returned.as_result_dict(for_round_trip=True))
