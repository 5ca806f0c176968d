# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes down what the tasks of roles change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible_collections.sm2a.testing.plugins.plugin_utils.changes import of_result

DOCUMENTATION = """
name: recorded_changes
type: aggregate
short_description: Writes down what the tasks of roles change
description:
  - For every run of a playbook, a file of one JSON object a line (host, task, item, resource, before, after).
  - It is C(<playbook>-predicted.jsonl) in check mode and C(<playbook>-done.jsonl) otherwise. A prediction is for the
    next run only, which renames it to C(<playbook>-compared.jsonl) at its end.
options:
  directory:
    description: Where the files are put; without it nothing is written.
    type: path
    env: [{name: SM2A_CHANGES}]
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """One file for each run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "sm2a.testing.recorded_changes"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.file: Path | None = None
        self.predicted: Path | None = None

    def v2_playbook_on_start(self, playbook: Any) -> None:
        directory = self.get_option("directory")
        if not directory:
            return
        name = Path(playbook._file_name).stem
        self.predicted = Path(directory, f"{name}-predicted.jsonl")
        self.file = self.predicted if context.CLIARGS["check"] else Path(directory, f"{name}-done.jsonl")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("", encoding="utf-8")

    def v2_runner_on_ok(self, result: Any) -> None:
        if not result.task.loop:
            self.record(result, "")

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self.record(result, str(self._get_item_label(result.result)))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self.predicted and self.file != self.predicted and self.predicted.exists():
            self.predicted.rename(self.predicted.with_name(self.predicted.name.replace("-predicted", "-compared")))

    def record(self, result: Any, item: str) -> None:
        # What a test prepares or reads is no change of a role.
        if self.file and result.result.get("changed") and result.task._role:
            with self.file.open("a", encoding="utf-8") as file:
                for change in of_result(result.host.get_name(), result.task.get_name(), item, result.result):
                    print(change.line(), file=file)
