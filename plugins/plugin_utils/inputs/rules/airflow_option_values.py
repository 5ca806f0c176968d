# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values that an option of Airflow cannot have, by the type that Airflow or a provider declares. Pure.

Types are those of https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html, and are read as
``getboolean``, ``getint`` and ``getfloat`` of Airflow's configuration read them. No sentence repeats a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.conversion import article
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.quotes import unquoted
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_names import OPTIONS
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_types import TYPES

BOOLEANS = ("t", "true", "1", "f", "false", "0")
ARTICLES = {"boolean": article("bool"), "integer": article("int"), "float": article("float")}


def type_of(section: str, option: str) -> str | None:
    """``boolean``, ``integer``, ``float``, ``switch`` or ``text``; None of an option that nobody in the image knows."""
    if option not in OPTIONS.get(section, "").split():
        return None
    return next((kind for kind, sections in TYPES.items() if option in sections.get(section, "").split()), "text")


def value_problem(section: str, option: str, value: Any) -> str | None:
    """Why the option cannot have this value, a text, number or boolean."""
    kind = type_of(section, option)
    if kind == "text":
        return unquoted(value)
    if kind not in ARTICLES or value == "" or READABLE[kind](value):
        return None
    return f"must be {ARTICLES[kind]}, which is the type that Airflow declares for it"


def _is_boolean(value: Any) -> bool:
    # Airflow ignores what comes after a number sign.
    return isinstance(value, bool) or str(value).lower().partition("#")[0].strip() in BOOLEANS


def _number(value: Any) -> float | None:
    """What Airflow makes of the text that a value becomes: "True" is no number, "2.0" is a whole one."""
    try:
        return float(str(value))
    except ValueError:
        return None


def _is_whole(value: Any) -> bool:
    number = _number(value)
    return number is not None and number.is_integer()


READABLE: dict[str, Callable[[Any], bool]] = {
    "boolean": _is_boolean,
    "integer": _is_whole,
    "float": lambda value: _number(value) is not None,
}
