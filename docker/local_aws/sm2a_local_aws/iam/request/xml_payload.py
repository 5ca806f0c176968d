# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an XML body says, under the names that boto3 gives it: settings of buckets, whose limits are in there."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET


def read(shape: Any, body: bytes) -> dict[str, Any]:
    """The member of an operation's input that the body is; ValueError for a body that is no XML."""
    name = shape.serialization.get("payload") if shape is not None else None
    if not name or not body or shape.members[name].type_name != "structure":
        return {}
    try:
        return {name: _value(shape.members[name], ET.fromstring(body.decode()))}  # noqa: S314  Of this machine.
    except ET.ParseError as error:
        raise ValueError(f"the body is no XML: {error}") from error


def _value(shape: Any, element: ET.Element) -> Any:
    if shape.type_name == "structure":
        members = {name: _member(member, name, element) for name, member in shape.members.items()}
        return {name: value for name, value in members.items() if value is not None}
    if shape.type_name == "list":
        return [_value(shape.member, child) for child in element]
    return element.text or ""


def _member(shape: Any, name: str, element: ET.Element) -> Any:
    """None when the element has no such child. A flattened list is its items, one beside the other."""
    wire = shape.serialization.get("name", name)
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        wire = shape.member.serialization.get("name", wire)
        found = element.findall(f"{{*}}{wire}")
        return [_value(shape.member, child) for child in found] if found else None
    child = element.find(f"{{*}}{wire}")
    return None if child is None else _value(shape, child)
