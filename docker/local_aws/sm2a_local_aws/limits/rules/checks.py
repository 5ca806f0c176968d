# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Kinds of rules that several services have, and parameters as they come: forms carry numbers and flags as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from sm2a_local_aws.limits.rules.table import Parameters, Problem


def text(parameters: Parameters, name: str) -> str:
    """The text of a parameter; empty when there is none."""
    value = parameters.get(name)
    return value if isinstance(value, str) else ""


def number(parameters: Parameters, name: str) -> int | None:
    """The number of a parameter; None when there is none."""
    try:
        return int(parameters[name])
    except (KeyError, TypeError, ValueError):
        return None


def flag(parameters: Parameters, name: str) -> bool:
    """Whether a parameter is there and true."""
    return str(parameters.get(name, "")).lower() == "true"


def items(parameters: Parameters, name: str) -> list[Any]:
    """The items of a list; none when there is no list."""
    value = parameters.get(name)
    return value if isinstance(value, list) else []


def mappings(parameters: Parameters, name: str) -> list[dict[str, Any]]:
    """Those items of a list that are mappings themselves."""
    return [item for item in items(parameters, name) if isinstance(item, dict)]


def inside(parameters: Parameters, name: str) -> dict[str, Any]:
    """The members of a parameter; none when it is no mapping."""
    value = parameters.get(name)
    return value if isinstance(value, dict) else {}


def named(parameter: str, allowed: str, sentence: str, *refused: str) -> Problem:
    """A whole text matches ``allowed`` and none of the ``refused`` patterns."""

    def problem(parameters: Parameters) -> str | None:
        name = parameters.get(parameter)
        if not isinstance(name, str):
            return None
        if re.fullmatch(allowed, name) and not any(re.fullmatch(pattern, name) for pattern in refused):
            return None
        return sentence.format(value=name, parameter=parameter)

    return problem


def within(parameter: str, least: int, most: int, sentence: str) -> Problem:
    """A number is in a range."""

    def problem(parameters: Parameters) -> str | None:
        value = number(parameters, parameter)
        if value is None or least <= value <= most:
            return None
        return sentence.format(value=value, parameter=parameter, least=least, most=most)

    return problem


def among(parameter: str, values: Collection[Any], sentence: str) -> Problem:
    """A number is one of some."""

    def problem(parameters: Parameters) -> str | None:
        value = number(parameters, parameter)
        if value is None or value in values:
            return None
        return sentence.format(value=value, parameter=parameter, values=", ".join(map(str, values)))

    return problem


def at_most(parameter: str, most: int, sentence: str) -> Problem:
    """A list is not too long."""

    def problem(parameters: Parameters) -> str | None:
        count = len(items(parameters, parameter))
        return sentence.format(count=count, most=most) if count > most else None

    return problem


def each(parameter: str, problem: Problem) -> Problem:
    """Every mapping in a list is right; the first problem counts."""

    def first(parameters: Parameters) -> str | None:
        found = (problem(item) for item in mappings(parameters, parameter))
        return next((sentence for sentence in found if sentence), None)

    return first


def below(parameter: str, problem: Problem) -> Problem:
    """The members of a parameter are right."""
    return lambda parameters: problem(inside(parameters, parameter))


def required(parameter: str, sentence: str, when: Callable[[Parameters], bool]) -> Problem:
    """A parameter is there when it must be."""
    return lambda parameters: sentence if when(parameters) and not parameters.get(parameter) else None
