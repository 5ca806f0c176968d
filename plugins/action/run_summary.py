# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Sum up what a run changed in an environment, for people and for the next job of a workflow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.action import ActionBase
from ansible_collections.sm2a.airflow.plugins.module_utils.common.processes import age_seconds
from ansible_collections.sm2a.airflow.plugins.plugin_utils.summary.changes import changes_of
from ansible_collections.sm2a.airflow.plugins.plugin_utils.summary.text import Summary

STATISTICS = "sm2a_summary"
OPTIONS: dict[str, dict[str, Any]] = {
    "environment": {"type": "str", "required": True},
    "region": {"type": "str", "required": True},
    "url": {"type": "str", "default": ""},
    "notes": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs on the controller, in a worker that ansible-playbook forked; connects nowhere and changes nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The summary as lines, and the statistics that ansible-playbook keeps of it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec=OPTIONS)
        variables = task_vars or {}
        host = str(variables.get("inventory_hostname", ""))
        summary = Summary(
            **options,
            playbook=", ".join(Path(name).name for name in context.CLIARGS.get("args", ())),
            # ansible-core takes a host away as soon as one of its tasks has failed.
            complete=host in variables.get("ansible_play_hosts", [host]),
            check_mode=bool(self._task.check_mode),
            changes=changes_of(host),
            seconds=age_seconds(os.getppid()),
        )
        data = {STATISTICS: {summary.environment: summary.data()}}
        return {
            **result,
            "changed": False,
            "lines": summary.lines(),
            "summary": summary.data(),
            # As set_stats returns it: one dictionary of the whole run, with a member for each environment.
            "ansible_stats": {"data": data, "per_host": False, "aggregate": True},
        }
