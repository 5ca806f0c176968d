# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which action of which service an HTTP request to AWS is, for each of AWS's protocols."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from sm2a_local_aws.iam.request import routes
from sm2a_local_aws.iam.request.calls import SIGNED_AS

RPC_PATH = re.compile(r"/service/\w+/operation/(\w+)")
SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
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


def signed_service(headers: Mapping[str, str]) -> str:
    """The service that a request is signed for, as boto3 names it."""
    scope = SCOPE.search(headers.get("Authorization") or headers.get("authorization") or "")
    signed = scope.group(1) if scope else "unknown"
    return SIGNED_AS.get(signed, signed)


def identify(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """The call that a request is; header names are looked up as ``headers`` does (case-insensitive in http.server)."""
    service = signed_service(headers)
    target = headers.get("X-Amz-Target")
    if target:
        return Call(service, target.rpartition(".")[2], "json")
    rpc = RPC_PATH.fullmatch(path)
    if rpc:
        return Call(service, rpc.group(1), "cbor")
    if "x-www-form-urlencoded" in (headers.get("Content-Type") or ""):
        form = dict(parse_qsl(body.decode(errors="replace")))
        return Call(service, form.get("Action", "unknown"), "query")
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        return Call(service, routes.find(service, method, parts.path, query)[0].action, "rest")
    except ValueError:
        return Call(service, "unknown", "rest")
