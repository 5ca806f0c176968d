# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The WebSocket of a session, `/v1/data-channel/<session>`. Only the token of ExecuteCommand opens it, once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any

from sm2a_local_aws.asgi import Application, Message
from sm2a_local_aws.ecs_exec import agent_messages as messages
from sm2a_local_aws.ecs_exec.agent import Agent, ClientGoneError
from sm2a_local_aws.ecs_exec.sessions import PATH, WAITING, Session

logger = logging.getLogger("sm2a.ecs_exec")

# A client shows its token with its first message.
TOKEN_SECONDS = 10.0
LONGEST_OPENING = 4096
NORMAL, REFUSED = 1000, 1008


def middleware(application: Application) -> Application:
    """The ASGI application, with the data channels of sessions in front of it."""

    async def answer(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket" or not PATH.fullmatch(scope["path"]):
            await application(scope, receive, send)
            return
        with contextlib.suppress(ClientGoneError):
            await _serve(scope["path"], receive, send)

    return answer


async def _serve(path: str, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})

    async def next_message() -> bytes | str | None:
        event = await receive()
        if event["type"] != "websocket.receive":
            return None
        found: bytes | str | None = event.get("bytes") or event.get("text") or b""
        return found

    async def send_bytes(data: bytes) -> None:
        await send({"type": "websocket.send", "bytes": data})

    session = await _opened(path, next_message)
    if session is None:
        logger.warning("refused to open a session: the token is not its own, or was used")
        await send({"type": "websocket.close", "code": REFUSED})
        return
    said = await Agent(session, next_message, send_bytes).run()
    await send_bytes(messages.channel_closed(session.session_id, session.target_id, said))
    await send({"type": "websocket.close", "code": NORMAL})


async def _opened(path: str, next_message: Any) -> Session | None:
    """The session, if the client's first message has its token."""
    try:
        async with asyncio.timeout(TOKEN_SECONDS):
            opening = await next_message()
    except TimeoutError:
        return None
    if opening is None:
        raise ClientGoneError
    try:
        asked = json.loads(opening[:LONGEST_OPENING])
    except ValueError:
        return None
    token = asked.get("TokenValue") if isinstance(asked, dict) else None
    return WAITING.take(path, token) if isinstance(token, str) else None
