# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A call of AWS, the request that carries it, and the parameters of a form under the names that boto3 gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Services that sign under another name than the one that boto3 knows them by.
SIGNED_AS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch", "servicequotas": "service-quotas"}


@dataclass(frozen=True)
class Call:
    """One call: `service` as boto3 names it, `operation` as the API does."""

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


class Form(dict[str, str]):
    """The parameters of a form, which knows those that were looked at."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)
        self.used: set[str] = set()

    def take(self, name: str) -> str | None:
        """The value of a parameter; None when it is not given."""
        if name in self:
            self.used.add(name)
        return self.get(name)


def from_form(service: str, shape: Any, form: Form) -> dict[str, Any]:
    """The parameters of a form for an operation's input; `form` then knows which of its names count."""
    if shape is None:
        return {}
    style = _ec2_name if service == "ec2" else _query_name
    found = _member(shape, "", form, style)
    return found if isinstance(found, dict) else {}


def _query_name(shape: Any, name: str) -> str:
    return str(shape.serialization.get("name", name))


def _ec2_name(shape: Any, name: str) -> str:
    given = str(shape.serialization.get("name", name))
    return str(shape.serialization.get("queryName", given[0].upper() + given[1:]))


def _member(shape: Any, prefix: str, form: Form, style: Any) -> Any:
    """The value below a prefix of the form's names; None when there is none."""
    # A list without items is sent as its bare name.
    bare = form.take(prefix)
    if prefix and bare is None and not any(name.startswith(f"{prefix}.") for name in form):
        return None
    if shape.type_name == "structure":
        dot = f"{prefix}." if prefix else ""
        members = {name: _member(one, dot + style(one, name), form, style) for name, one in shape.members.items()}
        return {name: value for name, value in members.items() if value is not None}
    if shape.type_name == "list":
        return _items(shape, _list_prefix(shape, prefix, style), form, style)
    if shape.type_name == "map":
        return _mapping(shape, prefix, form, style)
    return bare


def _list_prefix(shape: Any, prefix: str, style: Any) -> str:
    name = shape.member.serialization.get("name")
    if style is _ec2_name:
        return prefix
    if shape.serialization.get("flattened"):
        return ".".join([*prefix.split(".")[:-1], name]) if name else prefix
    return f"{prefix}.{name or 'member'}"


def _items(shape: Any, prefix: str, form: Form, style: Any) -> list[Any]:
    found = [_member(shape.member, f"{prefix}.{number}", form, style) for number in _numbers(prefix, form)]
    return [one for one in found if one is not None]


def _numbers(prefix: str, form: Form) -> range:
    """The numbers of a list's items. MiniStack stops at a gap, so that what follows would be judged and not done."""
    found = {name[len(prefix) + 1 :].partition(".")[0] for name in form if name.startswith(f"{prefix}.")}
    numbers = range(1, len(found) + 1)
    if found != {str(number) for number in numbers}:
        raise ValueError(f"the items of {prefix} are not numbered from 1")
    return numbers


def _mapping(shape: Any, prefix: str, form: Form, style: Any) -> dict[str, Any]:
    start = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    return {
        form.take(f"{start}.{one}.{key}") or "": _member(shape.value, f"{start}.{one}.{value}", form, style) or ""
        for one in _numbers(start, form)
    }
