# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What middlewares share: the types of ASGI, the body of a request, and answers in JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Application = Callable[[Message, Any, Any], Awaitable[None]]


async def read_body(receive: Any) -> bytes:
    """The whole body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(bytes(message.get("body", b"")))
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(parts)


def replaying(body: bytes, receive: Any) -> Any:
    """A ``receive`` that gives the body once, then what still comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        message: Message = messages.pop() if messages else await receive()
        return message

    return again


async def recorded(application: Application, scope: Message, receive: Any) -> list[Message]:
    """The messages of an answer, which is not sent."""
    answer: list[Message] = []

    async def record(message: Message) -> None:
        answer.append(message)

    await application(scope, receive, record)
    return answer


async def answer_json(send: Any, status: int, body: bytes) -> None:
    """The whole answer to a request; ``body`` is JSON."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
