# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Which operation a request to AWS is, and its parameters under the names that boto3 gives them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import botocore.parsers

from sm2a_local_aws.iam import routes

# Services that sign under another name than the one that boto3 knows them by.
SIGNED_AS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
RPC_PATH = re.compile(r"/service/\w+/operation/(\w+)")
UNKNOWN = "unknown"
# Operations of S3 that a header makes of others with the same address.
COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}


@dataclass(frozen=True)
class Call:
    """One call: `service` as boto3 names it, `operation` as the API does; "unknown" where it cannot be told."""

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """An HTTP request: `path` decoded, `query` as it was sent, names of headers in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def address(self) -> dict[str, str]:
        """The parameters in the address."""
        return _once(parse_qsl(self.query, keep_blank_values=True))

    @property
    def form(self) -> list[tuple[str, str]]:
        """The parameters in the body."""
        is_form = "x-www-form-urlencoded" in self.headers.get("content-type", "")
        return parse_qsl(self.body.decode(), keep_blank_values=True) if is_form else []


def identify(service: str, message: Message) -> Call:
    """The call that a request to a service is, which MiniStack or the signature names.

    ValueError for a body that cannot be read, and for a parameter that is given twice.
    """
    service = SIGNED_AS.get(service, service)
    target = message.headers.get("x-amz-target")
    rpc = RPC_PATH.fullmatch(message.path)
    if target:
        return Call(service, target.rpartition(".")[2], _object(json.loads(message.body or b"{}")))
    if rpc:
        parser = botocore.parsers.RpcV2CBORParser()
        read = parser.parse_data_item(io.BytesIO(message.body)) if message.body else {}
        return Call(service, rpc[1], _object(read))
    if message.form or "Action" in message.address:
        flat = _once([*message.address.items(), *message.form])
        operation = flat.get("Action", UNKNOWN)
        return Call(service, operation, _from_form(service, operation, flat))
    operation, places = routes.find(service, message.method, message.path, message.address)
    if "x-amz-copy-source" in message.headers:
        operation = COPIES.get(operation, operation)
    return Call(service, operation, _from_rest(service, operation, places, message))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("the body is no object")
    return value


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if found.setdefault(name, value) != value:
            raise ValueError(f"parameter {name} is given twice")
    return found


def _input(service: str, operation: str) -> Any:
    model = routes.model(service)
    if model is None or operation not in model.operation_names:
        return None
    return model.operation_model(operation).input_shape


def _from_form(service: str, operation: str, flat: Mapping[str, str]) -> dict[str, Any]:
    shape = _input(service, operation)
    if shape is None:
        return dict(flat)
    style = _ec2_name if service == "ec2" else _query_name
    found = _member(shape, "", flat, style)
    return found if isinstance(found, dict) else {}


def _query_name(shape: Any, name: str) -> str:
    return str(shape.serialization.get("name", name))


def _ec2_name(shape: Any, name: str) -> str:
    given = str(shape.serialization.get("name", name))
    return str(shape.serialization.get("queryName", given[0].upper() + given[1:]))


def _member(shape: Any, prefix: str, flat: Mapping[str, str], style: Any) -> Any:
    """The value below a prefix of the form's names; None when there is none."""
    if prefix and prefix not in flat and not any(name.startswith(f"{prefix}.") for name in flat):
        return None
    if shape.type_name == "structure":
        dot = f"{prefix}." if prefix else ""
        members = {name: _member(one, dot + style(one, name), flat, style) for name, one in shape.members.items()}
        return {name: value for name, value in members.items() if value is not None}
    if shape.type_name == "list":
        return _items(shape, _list_prefix(shape, prefix, style), flat, style)
    if shape.type_name == "map":
        return _mapping(shape, prefix, flat)
    return flat.get(prefix)


def _list_prefix(shape: Any, prefix: str, style: Any) -> str:
    name = shape.member.serialization.get("name")
    if style is _ec2_name:
        return prefix
    if shape.serialization.get("flattened"):
        return ".".join([*prefix.split(".")[:-1], name]) if name else prefix
    return f"{prefix}.{name or 'member'}"


def _items(shape: Any, prefix: str, flat: Mapping[str, str], style: Any) -> list[Any]:
    numbers = {name[len(prefix) + 1 :].partition(".")[0] for name in flat if name.startswith(f"{prefix}.")}
    ordered = sorted(int(number) for number in numbers if number.isdigit())
    return [_member(shape.member, f"{prefix}.{number}", flat, style) for number in ordered]


def _mapping(shape: Any, prefix: str, flat: Mapping[str, str]) -> dict[str, str]:
    start = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    numbers = {name[len(start) + 1 :].partition(".")[0] for name in flat if name.startswith(f"{start}.")}
    return {flat.get(f"{start}.{one}.{key}", ""): flat.get(f"{start}.{one}.{value}", "") for one in sorted(numbers)}


def _from_rest(service: str, operation: str, places: Mapping[str, str], message: Message) -> dict[str, Any]:
    shape = _input(service, operation)
    found: dict[str, Any] = {}
    for name, member in (shape.members if shape else {}).items():
        wire = member.serialization.get("name", name)
        location = member.serialization.get("location")
        source = {"uri": places, "querystring": message.address, "header": message.headers}.get(location)
        key = wire.lower() if location == "header" else wire
        if source is not None and key in source:
            found[name] = source[key]
    if operation == "ChangeResourceRecordSets":
        found["ChangeBatch"] = {"Changes": _record_changes(message.body)}
    if operation == "DeleteObjects":
        found["Delete"] = {"Objects": _objects_to_delete(message.body)}
    return found


def _xml(body: bytes) -> ET.Element:
    try:
        return ET.fromstring(body)  # noqa: S314  The parser reads a request of a client of this machine.
    except ET.ParseError as error:
        raise ValueError(f"the body is no XML: {error}") from error


def _objects_to_delete(body: bytes) -> list[dict[str, str]]:
    return [
        {part.tag.rpartition("}")[2]: part.text or "" for part in entry}
        for entry in _xml(body)
        if entry.tag.rpartition("}")[2] == "Object"
    ]


def _record_changes(body: bytes) -> list[dict[str, Any]]:
    """Action, and name and type of the record: who may make a change, these say."""
    changes = _xml(body).findall(".//{*}Change")
    return [
        {
            "Action": change.findtext("{*}Action", ""),
            "ResourceRecordSet": {
                name: change.findtext(f"{{*}}ResourceRecordSet/{{*}}{name}", "") for name in ("Name", "Type")
            },
        }
        for change in changes
    ]
