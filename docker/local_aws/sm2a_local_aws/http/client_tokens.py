# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Client tokens: a call that comes again with the token of one that succeeded gets its answer and does nothing.

MiniStack ignores them. AWS SDKs send the same token in each attempt of one call, so that a create whose reply was lost
makes no second resource. A call with a known token and other parameters, which AWS refuses, counts as another call.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from sm2a_local_aws.asgi import Application, Message, read_body, recorded, replaying

# EC2 and ECS, Secrets Manager, Cloud Map, ACM.
TOKENS = ("ClientToken", "clientToken", "ClientRequestToken", "CreatorRequestId", "IdempotencyToken")
# AWS forgets a token after some time; this is for one test's calls.
REMEMBERED = 1000


@dataclass
class _Call:
    """One token's answer; the lock makes an attempt wait for the one before it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    answer: list[Message] = field(default_factory=list)


def middleware(application: Application) -> Application:
    """The ASGI application, with answers remembered by token."""
    calls: OrderedDict[str, _Call] = OrderedDict()

    async def answer(scope: Message, receive: Any, send: Any) -> None:
        if not _may_carry_token(scope):
            await application(scope, receive, send)
            return
        body = await read_body(receive)
        again = replaying(body, receive)
        if _token(scope, body) is None:
            await application(scope, again, send)
            return
        call = calls.setdefault(_key(scope, body), _Call())
        while len(calls) > REMEMBERED:
            calls.popitem(last=False)
        async with call.lock:
            if not call.answer:
                call.answer = await recorded(application, scope, again)
            answered = call.answer
            if answered[0]["status"] != 200:
                call.answer = []
        for message in answered:
            await send(message)

    return answer


def _headers(scope: Message) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in scope.get("headers") or ()}


def _may_carry_token(scope: Message) -> bool:
    headers = _headers(scope) if scope["type"] == "http" and scope["method"] == "POST" else {}
    return b"x-amz-target" in headers or b"x-www-form-urlencoded" in headers.get(b"content-type", b"")


def _token(scope: Message, body: bytes) -> str | None:
    """The token of a call; a body that cannot be read carries none."""
    if not any(token.encode() in body for token in TOKENS):
        return None
    if b"x-amz-target" in _headers(scope):
        try:
            members = json.loads(body)
        except ValueError:
            return None
    else:
        members = {key: values[0] for key, values in parse_qs(body.decode(errors="replace")).items()}
    return next((str(members[token]) for token in TOKENS if members.get(token)), None)


def _key(scope: Message, body: bytes) -> str:
    """The same for attempts of one call: they differ in signature and time only."""
    target = _headers(scope).get(b"x-amz-target", b"")
    return hashlib.sha256(target + b"\0" + body).hexdigest()
