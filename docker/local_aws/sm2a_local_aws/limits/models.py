# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Limits that AWS's own models of its services have (in botocore, which leaves most of them to the service)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

NUMERIC = ("integer", "long", "float", "double")


def problems(shape: Any, parameters: Mapping[str, Any]) -> list[str]:
    """In AWS's words, what is wrong with the parameters of an operation whose input has this shape."""
    return list(_structure(shape, parameters, "")) if shape is not None else []


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        if name in value and value[name] is not None:
            spelled = name[:1].lower() + name[1:]
            yield from _value(member, value[name], f"{path}.{spelled}" if path else spelled)


def _value(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        yield from _structure(shape, value, path)
    elif kind == "list" and isinstance(value, list):
        yield from _within(shape, len(value), "length", path)
        for number, item in enumerate(value, 1):
            yield from _value(shape.member, item, f"{path}.{number}.member")
    elif kind == "map" and isinstance(value, Mapping):
        yield from _within(shape, len(value), "length", path)
        for key, item in value.items():
            yield from _value(shape.key, key, f"{path}.key")
            yield from _value(shape.value, item, f"{path}.{key}.value")
    elif kind == "string" and isinstance(value, str):
        yield from _text(shape, value, path)
    elif kind in NUMERIC and (amount := _number(value)) is not None:
        yield from _within(shape, amount, "value", path)


def _text(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _within(shape, len(value), "length", path)
    pattern = shape.metadata.get("pattern")
    if pattern and (compiled := _compiled(pattern)) and not compiled.fullmatch(value):
        yield f"Value at '{path}' failed to satisfy constraint: Member must satisfy the pattern {pattern}"
    if shape.enum and value not in shape.enum:
        yield f"Value at '{path}' failed to satisfy constraint: Member must satisfy enum value set: {shape.enum}"


def _within(shape: Any, amount: float, what: str, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    said = f"Value at '{path}' failed to satisfy constraint: Member must have {what}"
    if most is not None and amount > float(most):
        yield f"{said} less than or equal to {most}"
    if least is not None and amount < float(least):
        yield f"{said} greater than or equal to {least}"


def _number(value: Any) -> float | None:
    """Forms carry text; None for what is no number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None for a pattern that Python cannot read."""
    if r"\p{" in pattern:
        return None
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None
