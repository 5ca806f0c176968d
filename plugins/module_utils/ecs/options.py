# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Options that services and one-off tasks have in common, as AnsibleModule wants them."""

from __future__ import annotations

from typing import Any

# Where tasks run.
PLACE_OPTIONS: dict[str, dict[str, Any]] = {
    "launch_type": {"type": "str"},
    "capacity_provider_strategy": {"type": "list", "elements": "dict"},
    "platform_version": {"type": "str"},
    "network_configuration": {
        "type": "dict",
        "options": {
            "subnets": {"type": "list", "elements": "str", "required": True},
            "security_groups": {"type": "list", "elements": "str"},
            "assign_public_ip": {"type": "bool"},
        },
    },
}
# How tasks are watched; documented by the fragment ecs_tasks.
WATCH_OPTIONS: dict[str, dict[str, Any]] = {
    "wait_delay": {"type": "int", "default": 5},
    "log_lines": {"type": "int", "default": 20},
}
