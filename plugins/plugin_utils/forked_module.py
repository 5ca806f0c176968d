# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a module in a fork of ansible-playbook, where boto3 is loaded, rather than in a new Python.

ansible-core does all else as ever: arguments before, the module's output after.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ansible

try:
    from ansible.executor.module_common import _BuiltModule
    from ansible.module_utils import _internal
    from ansible.module_utils._internal._ansiballz import _loader
    from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError:  # ansible-core before 2.19
    _BuiltModule = None

from ansible import constants
from ansible.module_utils.common.text.converters import to_text
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.sm2a.airflow.plugins.plugin_utils import task_environment
from ansible_collections.sm2a.airflow.plugins.plugin_utils.forked_process import run_forked
from ansible_collections.sm2a.airflow.plugins.plugin_utils.loaded_libraries import LIBRARIES
from ansible_collections.sm2a.airflow.plugins.plugin_utils.parent_death import end_with_parent
from ansible_collections.sm2a.airflow.plugins.plugin_utils.progress import INTERVAL_OPTION, INTERVAL_SECONDS, Progress
from ansible_collections.sm2a.airflow.plugins.plugin_utils.summary import changes

OPTION = "sm2a_forked_modules"
ASYNC_WRAPPER = "ansible.legacy.async_wrapper"
# Environment variables that count when Python or a library starts: a fork is past that.
AT_START = ("PYTHON", "LD_", "DYLD_", "OPENSSL_", "HOME")
PROFILE = "legacy"
display = Display()


class ForkedModule(NormalAction):  # type: ignore[misc]
    """The plugin ``normal`` of ansible-core, with other ways to build a module and to run it when it can be forked."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the module returns."""
        obstacle = self._obstacle(task_vars or {})
        self._forks = obstacle is None
        self._progress = self._new_progress(task_vars or {})
        self._end_with_playbook()
        self._module = ""
        self._brought_along = False
        if obstacle:
            display.vvv(f"{self._task.action} runs in a Python of its own: {obstacle}")
        result: dict[str, Any] = super().run(tmp, task_vars)
        changes.note(str(self._task.action), (task_vars or {}).get("inventory_hostname", ""), result)
        return result

    def _new_progress(self, task_vars: dict[str, Any]) -> Progress:
        """The lines that say that the module still runs."""
        interval = float(self._templar.template(task_vars.get(INTERVAL_OPTION, INTERVAL_SECONDS)))
        if self._task.async_val:  # Only started here; ansible-core says when it asks for the result.
            interval = 0
        name = f"[{task_vars.get('inventory_hostname', '')}] {self._task.get_name()}"
        # Output that a program reads is on the other stream.
        return Progress(name, interval, partial(display.display, stderr=True), told=not self._task.no_log)

    def _end_with_playbook(self) -> None:
        """Make no change any more after ansible-playbook was killed."""
        if parent := multiprocessing.parent_process():
            end_with_parent(parent.pid or 0, signal.SIGTERM)

    def _obstacle(self, task_vars: dict[str, Any]) -> str | None:
        """Why the module cannot be forked; None when it can."""
        wanted = boolean(self._templar.template(task_vars.get(OPTION, True)), strict=False)
        interpreter = self._interpreter(task_vars)
        at_start = [name for name in self._environment() if name.startswith(AT_START)]
        obstacles = {
            "this ansible-core is older than 2.19": _BuiltModule is None,
            f"{OPTION} is false": not wanted,
            "the task is asynchronous": bool(self._task.async_val),
            "files of modules are to be kept": constants.DEFAULT_KEEP_REMOTE_FILES,
            f"the connection is {self._connection.transport}": self._connection.transport != "local",
            "the task becomes another user": self._connection.become is not None,
            f"ansible_python_interpreter is {interpreter}, not {sys.executable}": interpreter != sys.executable,
            f"the task sets {', '.join(at_start)}": bool(at_start),
        }
        return next((obstacle for obstacle, stands in obstacles.items() if stands), None)

    def _interpreter(self, task_vars: dict[str, Any]) -> str:
        """``ansible_python_interpreter`` of the host that the task is for."""
        host = self._task.delegate_to
        variables = task_vars.get("ansible_delegated_vars", {}).get(host, {}) if host else task_vars
        return str(self._templar.template(constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables)))

    def _environment(self) -> dict[str, str]:
        """The environment variables that the task sets."""
        variables: dict[str, Any] = {}
        self._compute_environment_string(variables)
        return {str(name): to_text(value, nonstring="simplerepr") for name, value in variables.items()}

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        """A fork needs no file."""
        return self._forks or bool(super()._is_pipelining_enabled(module_style, wrap_async))

    def _configure_module(self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> Any:
        """What is to be run: of a fork, the arguments only."""
        if not self._forks:
            return self._with_environment(module_name, super()._configure_module(module_name, module_args, task_vars))
        found = self._shared_loader_obj.module_loader.find_plugin_with_context(
            module_name, ".py", collection_list=self._task.collections
        )
        namespace, collection, name = found.resolved_fqcn.split(".", 2)
        self._module = f"ansible_collections.{namespace}.{collection}.plugins.modules.{name}"
        encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
        built = _BuiltModule(
            b_module_data=json.dumps({"ANSIBLE_MODULE_ARGS": module_args}, cls=encoder).encode(),
            module_style="new",
            shebang=f"#!{sys.executable}",
            serialization_profile=PROFILE,
        )
        return built, found.plugin_resolved_path

    def _with_environment(self, module_name: str, configured: Any) -> Any:
        """The module with the environment of its task, if it is the task's own and can have it."""
        _early, brought = task_environment.split(self._environment())
        if _BuiltModule is None or module_name == ASYNC_WRAPPER or not brought:
            return configured
        built, path = configured
        data = task_environment.bring_along(built.b_module_data, brought)
        if data is None:
            return configured
        self._brought_along = True
        return replace(built, b_module_data=data), path

    def _compute_environment_string(self, raw_environment_out: dict[str, Any] | None = None) -> str:
        """The variables before the command, which ansible-core prints; only those that the module does not bring."""
        line = str(super()._compute_environment_string(raw_environment_out))
        if raw_environment_out is not None or not self._brought_along:
            return line
        return str(self._connection._shell.env_prefix(**task_environment.split(self._environment())[0]))

    def _low_level_execute_command(
        self, cmd: str, sudoable: bool = True, in_data: bytes | None = None, **others: Any
    ) -> dict[str, Any]:
        """Run the module, or, where it is not forked, the command."""
        if not self._forks:
            with self._progress.beside():
                ran: dict[str, Any] = super()._low_level_execute_command(
                    cmd, sudoable=sudoable, in_data=in_data, **others
                )
            return ran
        display.vvv(f"FORK {self._module}", host=self._play_context.remote_addr)
        done = run_forked(
            partial(run_module, self._module, in_data or b""),
            name=self._module,
            directory=self._loader.get_basedir(),
            environment=self._environment(),
            progress=self._progress,
        )
        out, errors = (to_text(said, errors="surrogate_then_replace") for said in (done.stdout, done.stderr))
        return {
            "rc": done.code,
            "stdout": out,
            "stdout_lines": out.splitlines(),
            "stderr": errors,
            "stderr_lines": errors.splitlines(),
        }


def run_module(name: str, arguments: bytes) -> None:
    """Be the process of the module: ansible-core's own wrapper of modules runs it, prints what it raises, and exits."""
    # Warnings are part of the result here.
    _internal.is_controller = False
    LIBRARIES.use()
    # The wrapper runs it as a script.
    sys.modules.pop(name, None)
    _loader.run_module(
        json_params=arguments,
        profile=PROFILE,
        module_fqn=name,
        modlib_path=str(Path(ansible.__file__).parents[1]),
        extensions={},
    )
