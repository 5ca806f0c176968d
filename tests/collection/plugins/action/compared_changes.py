# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares what was recorded in this run with what check mode predicted before it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.sm2a.testing.plugins.plugin_utils.changes import Change, differences, read


class ActionModule(ActionBase):  # type: ignore[misc]
    """The last task of a recorded play. Fails naming each resource that changed otherwise than predicted.

    ``playbook``: name of the playbook that was recorded. ``expected``: ``change`` or ``no_change`` also fails when this
    host had none, or had one; ``any`` does not look.
    """

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(
            {
                "playbook": {"type": "str", "required": True},
                "expected": {"type": "str", "choices": ["change", "no_change", "any"], "default": "any"},
            }
        )
        self.host = (task_vars or {})["inventory_hostname"]
        if "SM2A_CHANGES" not in os.environ:
            return {"changed": False, "msg": "Nothing is recorded in this run."}
        self.directory = Path(os.environ["SM2A_CHANGES"])
        predicted = self.recorded(f"{options['playbook']}-predicted.jsonl")
        done = predicted if self._task.check_mode else self.recorded(f"{options['playbook']}-done.jsonl")
        told = self.unexpected(options["expected"], done or [])
        if predicted is not None and not self._task.check_mode:
            told += differences(predicted, done or [])
            self.keep(len(predicted), len(done or []), told)
        if told:
            raise AnsibleActionFail("\n".join(told))
        return {"changed": False, "changes": len(done or [])}

    def recorded(self, name: str) -> list[Change] | None:
        """The changes of this host, or None when there is no such file."""
        path = self.directory / name
        return [change for change in read(path) if change.host == self.host] if path.exists() else None

    def unexpected(self, expected: str, changes: list[Change]) -> list[str]:
        mode = "check mode predicts" if self._task.check_mode else "there was"
        if expected == "change" and not changes:
            return [f"{self.host}: {mode} no change, although there should be one"]
        if expected == "no_change":
            return [f"{change.name()}: {mode} a change, although there should be none" for change in changes]
        return []

    def keep(self, predicted: int, done: int, told: list[str]) -> None:
        """A line for the table of results."""
        line = json.dumps({"host": self.host, "predicted": predicted, "done": done, "differences": told})
        with (self.directory / "comparisons.jsonl").open("a", encoding="utf-8") as file:
            print(line, file=file)
