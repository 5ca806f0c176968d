# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which groups of workers have a task role of their own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

OPTIONS = ("own_task_role", "policy_statements", "policy_arns")


def has_own_role(group: Mapping[str, Any]) -> bool:
    """Whether no other group has the role of this one."""
    return any(group.get(option) for option in OPTIONS)


def worker_task_roles(groups: Iterable[Mapping[str, Any]], environment: str) -> list[dict[str, Any]]:
    """A group ``{"name": "a", "queue": "b"}`` -> ``{"group": "a", "queue": "b", "name": "<role>", "own": False}``."""
    roles = []
    for group in groups:
        own = has_own_role(group)
        name = f"{environment}-worker-{group['name']}" if own else f"{environment}-worker"
        roles.append({"group": group["name"], "queue": group["queue"], "name": name, "own": own})
    return roles
