# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Route 53: GetDNSSEC, which Ansible's hosted zone module reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sm2a_local_aws.patching.points import replaces

NOT_SIGNING = (
    b'<?xml version="1.0"?><GetDNSSECResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">'
    b"<Status><ServeSignature>NOT_SIGNING</ServeSignature></Status><KeySigningKeys/></GetDNSSECResponse>"
)


@replaces("ministack.services.route53:handle_request", "c201ac22eafd")
async def handle_request(original: Callable[..., Awaitable[Any]], method: str, path: str, *rest: Any) -> Any:
    """No zone is signed."""
    if method == "GET" and path.endswith("/dnssec"):
        return 200, {"Content-Type": "text/xml"}, NOT_SIGNING
    return await original(method, path, *rest)
