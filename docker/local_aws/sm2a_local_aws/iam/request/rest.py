# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of a REST call: from its address, its headers, and where rights depend on it from its body."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

# Elements that stand in a row; every other one stands once beside its siblings.
LISTED = {"Object", "Change", "ResourceRecord"}


def from_rest(
    operation: Any, places: Mapping[str, str], address: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """The parameters under the names that boto3 gives them."""
    found: dict[str, Any] = {}
    for name, member in members(operation).items():
        wire = member.serialization.get("name", name)
        location = member.serialization.get("location")
        source = {"uri": places, "querystring": address, "header": headers}.get(location)
        key = wire.lower() if location == "header" else wire
        if source is not None and key in source:
            found[name] = source[key]
    if operation.name == "ChangeResourceRecordSets":
        found["ChangeBatch"] = {"Changes": _record_changes(body)}
    if operation.name == "DeleteObjects":
        found["Delete"] = {"Objects": _objects_to_delete(body)}
    return found


def members(operation: Any) -> Mapping[str, Any]:
    """The members of an operation's input."""
    return operation.input_shape.members if operation.input_shape else {}


def _xml(body: bytes) -> ET.Element:
    """The body, if it can be read in one way only: elements of one namespace, none twice that should be there once."""
    try:
        root = ET.fromstring(body.decode())  # noqa: S314  The parser reads a request of a client of this machine.
    except ET.ParseError as error:
        raise ValueError(f"the body is no XML: {error}") from error
    space = root.tag.rpartition("}")[0]
    for element in root.iter():
        count = Counter(child.tag.rpartition("}")[2] for child in element)
        if element.tag.rpartition("}")[0] != space or any(
            number > 1 and name not in LISTED for name, number in count.items()
        ):
            raise ValueError("the XML is not of the schema")
    return root


def _objects_to_delete(body: bytes) -> list[dict[str, str]]:
    return [
        {part.tag.rpartition("}")[2]: part.text or "" for part in entry} for entry in _xml(body).findall("{*}Object")
    ]


def _record_changes(body: bytes) -> list[dict[str, Any]]:
    """Action, and name and type of the record: who may make a change, these say."""
    changes = _xml(body).findall("{*}ChangeBatch/{*}Changes/{*}Change")
    return [
        {
            "Action": change.findtext("{*}Action", ""),
            "ResourceRecordSet": {
                name: change.findtext(f"{{*}}ResourceRecordSet/{{*}}{name}", "") for name in ("Name", "Type")
            },
        }
        for change in changes
    ]
