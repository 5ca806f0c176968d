# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of DB parameters: as text, compared by meaning, in the spelling that AWS allows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SWITCHES = {"1": "on", "on": "on", "true": "on", "0": "off", "off": "off", "false": "off"}


def text(value: Any) -> str:
    """The value as AWS wants it: switches as 1 or 0."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def same_value(current: Any, wanted: str) -> bool:
    """Whether two texts mean the same: ``ON`` and ``1`` do."""
    if current is None:
        return False
    return bool(SWITCHES.get(str(current).lower(), current) == SWITCHES.get(wanted.lower(), wanted))


def spelled(value: str, allowed: str | None) -> str:
    """A switch as ``allowed`` (``0,1`` or ``ON,OFF``) has it; any other value as it is."""
    choices = [choice.strip() for choice in (allowed or "").split(",")]
    if value in choices:
        return value
    return next((choice for choice in choices if choice and same_value(choice, value)), value)


def apply_method(described: Mapping[str, Any] | None) -> str:
    """``immediate`` for a dynamic parameter; a static one, or one that AWS does not list, waits for a reboot."""
    return "immediate" if (described or {}).get("ApplyType") == "dynamic" else "pending-reboot"
