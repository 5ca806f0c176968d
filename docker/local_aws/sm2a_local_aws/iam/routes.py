# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Which operation of a REST service an address is, and what the address says: from botocore's model of the service."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import botocore.session

PLACE = re.compile(r"\\\{([^{}]*?)(\\\+)?\\\}")


@functools.cache
def model(service: str) -> Any:
    """botocore's model of a service; None for an unknown one."""
    try:
        return botocore.session.get_session().get_service_model(service)
    except botocore.exceptions.UnknownServiceError:
        return None


@dataclass(frozen=True)
class Route:
    """How one operation is addressed. `required` are query parameters that it always has."""

    action: str
    method: str
    path: re.Pattern[str]
    places: tuple[str, ...]
    query: Mapping[str, str]
    required: frozenset[str]
    deprecated: bool


def find(service: str, method: str, path: str, query: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The operation, and the parts of the path by the names of the model; "unknown" when none fits."""
    fitting = [
        (len(route.query), not route.deprecated, -index, route)
        for index, route in enumerate(routes(service))
        if route.method == method
        and route.path.fullmatch(path)
        and all(query.get(key) == value for key, value in route.query.items())
        and route.required <= query.keys()
    ]
    if not fitting:
        return "unknown", {}
    found = max(fitting, key=lambda one: one[:3])[3]
    match = found.path.fullmatch(path)
    assert match is not None  # noqa: S101
    return found.action, dict(zip(found.places, match.groups(), strict=True))


@functools.cache
def routes(service: str) -> tuple[Route, ...]:
    """The routes of a REST service in the order of its model, simple ones first; () for an unknown service."""
    found = model(service)
    if found is None:
        return ()
    listed = [_route(found.operation_model(name)) for name in found.operation_names]
    # PutObject before CopyObject and UploadPart, which share its address.
    return tuple(sorted(listed, key=lambda one: (not one.action.endswith("Object"), len(one.action), one.action)))


def _route(operation: Any) -> Route:
    address, _, query = operation.http["requestUri"].partition("?")
    escaped = re.escape(address).rstrip("/")
    members = operation.input_shape.members if operation.input_shape else {}
    required = {
        members[name].serialization["name"]
        for name in (operation.input_shape.required_members if operation.input_shape else ())
        if members[name].serialization.get("location") == "querystring"
    }
    return Route(
        action=operation.name,
        method=operation.http["method"],
        path=re.compile(PLACE.sub(lambda place: "(.+)" if place[2] else "([^/]+)", escaped) + "/?", re.DOTALL),
        places=tuple(place[1].replace("\\", "") for place in PLACE.finditer(escaped)),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        required=frozenset(required),
        deprecated=operation.deprecated,
    )
