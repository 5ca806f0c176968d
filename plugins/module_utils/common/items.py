# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Modules of several alike resources: given in full, or, where they go, by their names alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NAMES_OPTION: dict[str, dict[str, Any]] = {"names": {"type": "list", "elements": "str"}}


def list_rules(option: str, purge: str | None = None, present: Sequence[str] = ()) -> dict[str, list[Any]]:
    """What AnsibleModule checks: the list ``option`` for resources that are present, it or ``names`` for others.

    With the option ``purge``, which finds what is to go by itself, neither is needed. ``present`` are further options
    that resources need to be present.
    """
    return {
        "mutually_exclusive": [(option, "names")],
        "required_one_of": [[name for name in (option, "names", purge) if name]],
        "required_if": [("state", "present", [option, *present])],
    }


def listed_items(params: dict[str, Any], option: str, identifier: str = "name") -> list[dict[str, Any]]:
    """The resources of the list ``option``, or one with nothing but its ``identifier`` for each of ``names``."""
    return params[option] or [{identifier: name} for name in params["names"] or []]
