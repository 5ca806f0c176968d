# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tell the module s3_run_lock which run of which playbook it works for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible import constants, context
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.lock_holder import this_run
from ansible_collections.sm2a.airflow.plugins.plugin_utils.controller_job import controller_job
from ansible_collections.sm2a.airflow.plugins.plugin_utils.forked_module import ForkedModule
from ansible_collections.sm2a.airflow.plugins.plugin_utils.loaded_libraries import LIBRARIES

LIBRARIES.load_own("s3_run_lock")


class ActionModule(ForkedModule):
    """Runs in a worker that ansible-playbook forked: the parent is the process that lives as long as the run."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the module returns."""
        playbooks = ", ".join(Path(name).name for name in context.CLIARGS.get("args", ()))
        simultaneous = boolean(self._task.args.get("allow_simultaneous", True), strict=False)
        job = controller_job(task_vars or {}, os.environ, simultaneous)
        self._task.args = {
            **self._task.args,
            "run": this_run(os.getppid(), playbooks or "unknown", job),
            # In the directory of this run, which goes with it.
            "watcher_directory": constants.DEFAULT_LOCAL_TMP,
        }
        return super().run(tmp, task_vars)
