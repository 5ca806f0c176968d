# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes down all that every task returned."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: whole_results
type: aggregate
short_description: Writes down all that every task returned
description:
  - One JSON object a line (host, task, status, result) in the file that the environment variable SM2A_RESULTS names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """One line for each task and host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "sm2a.testing.whole_results"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        self.record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self.record("failed", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self.record("skipped", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self.record("unreachable", result)

    def record(self, status: str, result: Any) -> None:
        """Append one line."""
        line = {"host": result.host.name, "task": result.task.get_name(), "status": status, "result": result.result}
        with Path(os.environ["SM2A_RESULTS"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
