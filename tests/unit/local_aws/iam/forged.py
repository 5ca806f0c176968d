# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests that no SDK would send, rightly signed."""

from __future__ import annotations

from typing import Any

import requests
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest


def send(
    credentials: Any, method: str, service: str, address: str, headers: dict[str, str], *, body: str | bytes = ""
) -> requests.Response:
    """The answer to a request that is signed for a service with these credentials."""
    signed = sign(credentials, method, service, address, headers, body=body)
    return requests.request(method, address, data=body, headers=signed, timeout=10)


def sign(
    credentials: Any, method: str, service: str, address: str, headers: dict[str, str], *, body: str | bytes = ""
) -> dict[str, str]:
    """The headers of such a request."""
    request = AWSRequest(method, address, data=body, headers=headers)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(credentials, service, "eu-west-1").add_auth(request)
    return dict(request.headers)
