# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Outages on demand: a service that does not answer for a while, to see what its clients make of that.

`POST /_sm2a/outages` with `{"service": "sqs", "seconds": 60}`: calls signed for that service get no answer until then,
as if packets were lost. `seconds: 0` ends an outage.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

from sm2a_local_aws.asgi import Application, Message, answer_json, read_body

PATH = "/_sm2a/outages"
LONGEST_SECONDS = 3600.0
# The credential scope of a signed call names its service.
SERVICE = re.compile(rb"/([a-z0-9-]+)/aws4_request")
POLL_INTERVAL_SECONDS = 0.2


def middleware(application: Application) -> Application:
    """The ASGI application, with outages."""
    ends: dict[str, float] = {}

    async def answer(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await _declare(ends, receive, send)
            return
        service = _service(scope)
        held = _is_out(ends, service)
        # Looked at again and again: an outage may be ended early.
        while _is_out(ends, service):
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
        if held:
            # Too late: the client is gone or will try again.
            await answer_json(send, 503, b"")
            return
        await application(scope, receive, send)

    return answer


def _is_out(ends: dict[str, float], service: str) -> bool:
    return ends.get(service, 0.0) > time.monotonic()


def _service(scope: Message) -> str:
    """The service that a call is signed for, such as ``sqs``; empty when it is signed for none."""
    for name, value in scope.get("headers") or ():
        if name == b"authorization" and (found := SERVICE.search(value)):
            return found[1].decode()
    return ""


async def _declare(ends: dict[str, float], receive: Any, send: Any) -> None:
    try:
        asked = json.loads(await read_body(receive))
        service, seconds = str(asked["service"]), float(asked["seconds"])
        if not 0 <= seconds <= LONGEST_SECONDS:
            raise ValueError(seconds)
    except (ValueError, KeyError, TypeError):
        await answer_json(send, 400, b'{"message": "service, and seconds from 0 to 3600, are needed"}')
        return
    ends[service] = time.monotonic() + seconds
    await answer_json(send, 200, b"{}")
