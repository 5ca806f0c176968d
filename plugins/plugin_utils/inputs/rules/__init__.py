# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules for options beyond their types. Each takes converted options by name and gives one sentence a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import airflow, database_users, network

RULES: tuple[Callable[[Mapping[str, Any]], list[str]], ...] = (
    airflow.problems,
    network.problems,
    database_users.problems,
)
