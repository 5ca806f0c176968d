# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Requests that no SDK would send, rightly signed."""

from __future__ import annotations

from typing import Any

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest


def post(credentials: Any, service: str, address: str, headers: dict[str, str], body: str) -> requests.Response:
    """The answer to a request that is signed for a service with these credentials."""
    request = AWSRequest("POST", address, data=body, headers=headers)
    SigV4Auth(credentials, service, "eu-west-1").add_auth(request)
    return requests.post(address, data=body, headers=dict(request.headers), timeout=10)
