# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What YAML reads out of text that stands without quotes, where text is meant. Pure.

https://docs.ansible.com/ansible/latest/reference_appendices/YAMLSyntax.html
"""

from __future__ import annotations

from datetime import date, time
from typing import Any


def unquoted(value: Any) -> str | None:
    """Why this is no text, when YAML made something else of it; None for text, whole numbers and what has no quotes."""
    if isinstance(value, bool):
        return "must be text in quotes; without them YAML reads yes, no, on and off as true and false"
    if isinstance(value, float):
        return "must be text in quotes; without them YAML reads 1.10 as 1.1"
    # A datetime is a date as well.
    if isinstance(value, (date, time)):
        return "must be text, not a date; write it in quotes"
    return None
