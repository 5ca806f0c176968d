# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes down how every task ended."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorded_results
type: aggregate
short_description: Writes down how every task ended
description:
  - One JSON object a line in the file that the environment variable SM2A_RESULTS names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """One line for each task and host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorded_results"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.file = Path(os.environ["SM2A_RESULTS"])

    def v2_runner_on_ok(self, result: Any) -> None:
        self.record("changed" if result.is_changed() else "ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self.record("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self.record("failed", result)

    def record(self, status: str, result: Any) -> None:
        """Append one line."""
        line = {"task": result.task.get_name(), "action": result.task.action, "status": status}
        line |= {key: result.result[key] for key in ("msg", "diff", "warnings") if result.result.get(key)}
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
