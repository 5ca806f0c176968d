# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""JSON as AWS takes it: no name twice, only members of the operation's input, each of its type."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

NUMBERS = ("integer", "long", "float", "double")
# JSON types of the others; a date is a number or a text.
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "timestamp": (int, float, str),
    **dict.fromkeys(NUMBERS, (int, float)),
}


def loads(body: bytes) -> dict[str, Any]:
    """The object that a body is; ValueError for anything else."""
    try:
        read = json.loads(body.decode() or "{}", object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error
    if not isinstance(read, dict):
        raise ValueError("the body is no object")
    return read


def of_input(shape: Any, given: dict[str, Any]) -> dict[str, Any]:
    """What an operation knows of the parameters; ValueError for a value of another type. AWS ignores unknown names."""
    return _structure(shape, given) if shape is not None else {}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the body has a name twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _known(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure" and getattr(shape, "is_document_type", False):
        return value
    of = CONTAINERS.get(shape.type_name)
    if of is not None:
        return of(shape, value)
    types = TYPES[shape.type_name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ValueError(f"{type(value).__name__} can not be converted to {shape.type_name}")
    return value


def _structure(shape: Any, value: Any) -> dict[str, Any]:
    _require(dict, value)
    wire = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    return {name: _known(wire[name], one) for name, one in value.items() if name in wire and one is not None}


def _list(shape: Any, value: Any) -> list[Any]:
    _require(list, value)
    return [_known(shape.member, one) for one in value]


def _map(shape: Any, value: Any) -> dict[str, Any]:
    _require(dict, value)
    return {name: _known(shape.value, one) for name, one in value.items() if one is not None}


def _require(kind: type, value: Any) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{type(value).__name__} can not be converted to {kind.__name__}")


CONTAINERS: dict[str, Callable[[Any, Any], Any]] = {"structure": _structure, "list": _list, "map": _map}
