# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
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
    """How one operation is addressed. `required` are query parameters that it always has, `names` all it may have."""

    action: str
    method: str
    path: re.Pattern[str]
    places: tuple[str, ...]
    query: Mapping[str, str]
    required: frozenset[str]
    names: frozenset[str]
    deprecated: bool


def find(service: str, method: str, path: str, query: Mapping[str, str]) -> tuple[Route, dict[str, str]]:
    """The route, and the parts of the path by the names of the model; ValueError when none or another one fits, too."""
    here = [route for route in routes(service) if route.method == method and route.path.fullmatch(path)]
    fitting = [
        (len(route.query) + len(route.required), not route.deprecated, -index, route)
        for index, route in enumerate(here)
        if all(query.get(key) == value for key, value in route.query.items()) and route.required <= query.keys()
    ]
    if not fitting:
        raise ValueError("no operation is at this address")
    found = max(fitting, key=lambda one: one[:3])[3]
    # What makes the address that of another operation: two of them in one request are of two minds.
    others = {name for route in here for name in (*route.query, *route.required)} & query.keys() - found.names
    if others:
        raise ValueError(f"conflicting query string parameters: {found.action} has no {', '.join(sorted(others))}")
    match = found.path.fullmatch(path)
    assert match is not None  # noqa: S101
    return found, dict(zip(found.places, match.groups(), strict=True))


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
    needed = operation.input_shape.required_members if operation.input_shape else ()
    asked = {
        name: member.serialization["name"]
        for name, member in members.items()
        if member.serialization.get("location") == "querystring"
    }
    literal = dict(parse_qsl(query, keep_blank_values=True))
    return Route(
        action=operation.name,
        method=operation.http["method"],
        path=re.compile(PLACE.sub(lambda place: "(.+)" if place[2] else "([^/]+)", escaped) + "/?", re.DOTALL),
        places=tuple(place[1].replace("\\", "") for place in PLACE.finditer(escaped)),
        query=literal,
        required=frozenset(asked[name] for name in needed if name in asked),
        names=frozenset((*literal, *asked.values())),
        deprecated=operation.deprecated,
    )
