# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""End a long poll when its client has disconnected: MiniStack would hand the next message to it, and lose it.

A Celery worker that scales in leaves such a poll behind.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sm2a_local_aws.asgi import Application, Message

# Part of the credential scope of every signed SQS call.
SCOPE = b"/sqs/aws4_request"


def middleware(application: Application) -> Application:
    """The ASGI application, with every SQS call cancelled as soon as its client closes the connection."""

    async def answer(scope: Message, receive: Any, send: Any) -> None:
        if not any(name == b"authorization" and SCOPE in value for name, value in scope.get("headers") or ()):
            await application(scope, receive, send)
            return
        arrived: asyncio.Queue[Message] = asyncio.Queue()
        call = asyncio.ensure_future(application(scope, arrived.get, send))
        watch = asyncio.ensure_future(_watch(receive, arrived, call))
        try:
            await call
        except asyncio.CancelledError:
            if not watch.done() or watch.cancelled():
                raise  # The server itself is shutting down.
        finally:
            watch.cancel()

    return answer


async def _watch(receive: Any, arrived: asyncio.Queue[Message], call: asyncio.Future[None]) -> None:
    """Hand on what the client sends; cancel the call when the client is gone."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            call.cancel()
            return
        arrived.put_nowait(message)
