# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTP requests as boto3 makes them, without a server."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from sm2a_local_aws.iam.request.calls import Call, Message
from sm2a_local_aws.iam.request.reading import identify

SERVICE = re.compile(r"/([a-z0-9-]+)/aws4_request")


class _Caught(Exception):  # noqa: N818
    """Carries the request out of boto3."""

    def __init__(self, request: Any) -> None:
        super().__init__()
        self.request = request


def call(service: str, method: str, /, **parameters: Any) -> Call:
    """What the local AWS understands when boto3 is told to call this."""
    signed, message = sent(service, method, **parameters)
    return identify(signed, message)


def sent(service: str, method: str, /, **parameters: Any) -> tuple[str, Message]:
    """The service that the request is signed for, and the request."""
    client = boto3.client(
        service,
        endpoint_url="http://127.0.0.1:1",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )

    def catch(request: Any, **_options: Any) -> None:
        raise _Caught(request)

    client.meta.events.register("before-send", catch)
    try:
        getattr(client, method)(**parameters)
    except _Caught as caught:
        return _message(caught.request)
    raise AssertionError("boto3 sent nothing")


def _message(request: Any) -> tuple[str, Message]:
    headers = {
        name.lower(): value if isinstance(value, str) else value.decode() for name, value in request.headers.items()
    }
    body = request.body or b""
    if not isinstance(body, str | bytes):
        body = body.read()
    address = urlsplit(request.url)
    signed = SERVICE.search(headers["authorization"])
    assert signed is not None
    return signed[1], Message(
        method=request.method,
        path=unquote(address.path),
        query=address.query,
        headers=headers,
        body=body.encode() if isinstance(body, str) else body,
    )
