# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The action of every module that is forked: a link of its name in plugins/action leads here.

Ansible imports the action that is named as a task's module in ansible-playbook itself before it forks the workers of
the task: the place to load what the module needs. (An ``action_plugin`` of meta/runtime.yml it imports in the workers.)
"""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.plugin_utils.forked_module import ForkedModule
from ansible_collections.sm2a.airflow.plugins.plugin_utils.loaded_libraries import LIBRARIES, SERVICES

NAME = __name__.rpartition(".")[2]
if NAME in SERVICES:
    LIBRARIES.load_own(NAME)


class ActionModule(ForkedModule):
    """Nothing more than that."""
