# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Which action of which service an HTTP request to AWS is, for each of AWS's protocols."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import botocore.session

# Services that sign under another name than the one that boto3 knows them by.
SIGNED_AS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
RPC_PATH = re.compile(r"/service/\w+/operation/(\w+)")
READS = ("Describe", "Get", "Head", "List", "BatchGet")


@dataclass(frozen=True)
class Call:
    """One request: ``service`` as boto3 names it, ``action`` as the API does; "unknown" where it cannot be told.

    ``protocol`` is query, json, rest or cbor.
    """

    service: str
    action: str
    protocol: str

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.action.startswith(READS)


def identify(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """The call that a request is; header names are looked up as ``headers`` does (case-insensitive in http.server)."""
    scope = SCOPE.search(headers.get("Authorization") or "")
    signed = scope.group(1) if scope else "unknown"
    service = SIGNED_AS.get(signed, signed)
    target = headers.get("X-Amz-Target")
    if target:
        return Call(service, target.rpartition(".")[2], "json")
    rpc = RPC_PATH.fullmatch(path)
    if rpc:
        return Call(service, rpc.group(1), "cbor")
    if "x-www-form-urlencoded" in (headers.get("Content-Type") or ""):
        form = dict(parse_qsl(body.decode(errors="replace")))
        return Call(service, form.get("Action", "unknown"), "query")
    return Call(service, rest_action(service, method, path), "rest")


def rest_action(service: str, method: str, path: str) -> str:
    """The action of a request whose address says it, from the service model; "unknown" when none fits."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    fitting = [
        (len(route.query), not route.deprecated, -index, route.action)
        for index, route in enumerate(routes(service))
        if route.method == method
        and route.path.fullmatch(parts.path)
        and all(query.get(key) == value for key, value in route.query.items())
        and route.required <= query.keys()
    ]
    return max(fitting)[-1] if fitting else "unknown"


@dataclass(frozen=True)
class Route:
    """How one action is addressed. ``required`` are query parameters that it always has."""

    action: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str]
    required: frozenset[str]
    deprecated: bool


@functools.cache
def routes(service: str) -> tuple[Route, ...]:
    """The routes of a REST service in the order of its model, simple ones first; () for an unknown service."""
    try:
        model = botocore.session.get_session().get_service_model(service)
    except botocore.exceptions.UnknownServiceError:
        return ()
    found = [route(model.operation_model(name)) for name in model.operation_names]
    # PutObject before CopyObject and UploadPart, which share its address.
    return tuple(sorted(found, key=lambda one: (not one.action.endswith("Object"), len(one.action), one.action)))


def route(operation: Any) -> Route:
    """The route of one botocore operation model."""
    address, _, query = operation.http["requestUri"].partition("?")
    pattern = re.sub(r"\\\{[^{}]*?\\\+\\\}", ".+", re.escape(address).rstrip("/"))
    pattern = re.sub(r"\\\{[^{}]*?\\\}", "[^/]+", pattern)
    members = operation.input_shape.members if operation.input_shape else {}
    required = {
        members[name].serialization["name"]
        for name in (operation.input_shape.required_members if operation.input_shape else ())
        if members[name].serialization.get("location") == "querystring"
    }
    return Route(
        action=operation.name,
        method=operation.http["method"],
        path=re.compile(f"{pattern}/?"),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        required=frozenset(required),
        deprecated=operation.deprecated,
    )
