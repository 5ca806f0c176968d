# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The modules of amazon.aws run in forks, as those of sm2a.airflow do, which is quicker."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import normal
from ansible.plugins.callback import CallbackBase
from ansible_collections.sm2a.airflow.plugins.plugin_utils import forked_action
from ansible_collections.sm2a.airflow.plugins.plugin_utils.loaded_libraries import LIBRARIES

DOCUMENTATION = """
name: forked_stock_modules
type: aggregate
short_description: Runs the modules of amazon.aws in forks
description:
  - For playbooks whose modules all are of amazon.aws.
"""
# How the modules make their clients: client("sqs"), clients("sqs"), module.client("sqs", retry_decorator=...).
CLIENT = re.compile(r"""\bclients?\((?:module, )?"([a-z0-9]+)"[,)]""")


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Loads what a task needs before its workers are forked."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "sm2a.testing.forked_stock_modules"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        # The action of every module that has none of its own.
        sys.modules[normal.__name__] = forked_action

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if task.action.startswith("amazon.aws."):
            module = f"ansible_collections.amazon.aws.plugins.modules.{task.action.rpartition('.')[2]}"
            source = importlib.util.find_spec(module)
            if source and source.origin:
                LIBRARIES.load(module, sorted(set(CLIENT.findall(Path(source.origin).read_text(encoding="utf-8")))))
