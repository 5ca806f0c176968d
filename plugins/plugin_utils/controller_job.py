# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The job of AWX or Automation Platform that a playbook runs in, by the extra variables that the controller adds.

Whoever launches a job can give variables of these names, so each is taken as text and made harmless.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# AWX sets each under both names.
PREFIXES = ("awx", "tower")
LONGEST = 100
# The environment variable with the controller's address, and what it is where nobody has set it (TOWER_URL_BASE).
ADDRESS = "AWX_HOST"
UNSET = ("https://towerhost", "https://platformhost")


def controller_job(
    variables: Mapping[str, Any], environment: Mapping[str, str], allow_simultaneous: bool
) -> dict[str, Any] | None:
    """The members of a Job; None outside of a controller."""
    number = _number(_variable(variables, "job_id"))
    if not number:
        return None
    return {
        "id": number,
        "user": _line(_variable(variables, "user_name")),
        "template_id": _number(_variable(variables, "job_template_id")),
        "template": _line(_variable(variables, "job_template_name")),
        "workflow_id": _number(_variable(variables, "workflow_job_id")),
        "controller": _address(environment.get(ADDRESS, "")),
        "allow_simultaneous": allow_simultaneous,
    }


def _variable(variables: Mapping[str, Any], name: str) -> str:
    values = (variables.get(f"{prefix}_{name}") for prefix in PREFIXES)
    return next((str(value) for value in values if isinstance(value, (str, int))), "")


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def _line(text: str) -> str:
    """One line of printable characters, of limited length."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 10 * LONGEST])
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def _address(text: str) -> str:
    """The address of the controller; empty when it is none, or that of every controller without one."""
    address = text.rstrip("/") if re.fullmatch(r"https?://[A-Za-z0-9.:\[\]/_~-]{1,200}", text) else ""
    return "" if address in UNSET else address
