# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Tell the module s3_run_lock which run of which playbook it works for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.action import ActionBase
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.run_lock import this_run


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs in a worker that ansible-playbook forked: the parent is the process that lives as long as the run."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the module returns."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        playbooks = ", ".join(Path(name).name for name in context.CLIARGS.get("args", ()))
        self._task.args = {**self._task.args, "run": this_run(os.getppid(), playbooks or "unknown")}
        normal = self._shared_loader_obj.action_loader.get(
            "ansible.legacy.normal",
            task=self._task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return {**result, **normal.run(task_vars=task_vars)}
