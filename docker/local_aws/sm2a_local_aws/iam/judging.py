# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Middlewares that look at a call before it is done, and may refuse it in AWS's words."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from ministack.core import responses
from ministack.core.router import detect_service, extract_region

from sm2a_local_aws import settings
from sm2a_local_aws.asgi import Application, Message, read_body, replaying
from sm2a_local_aws.iam import refusals
from sm2a_local_aws.iam.refusals import Refused
from sm2a_local_aws.iam.request import calls, reading, routes, xml_payload
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.patching.points import relies_on

logger = logging.getLogger("sm2a.judging")

relies_on("ministack.core.router", {"detect_service": "fd156fac4b5d", "extract_region": "26a75b5f787d"})

# The call's operation is one that is looked at.
Looked = Callable[[str], object]
# Why the call is refused; None when it is not.
Judge = Callable[[Call], Refused | None]

# The operation of a form, wherever it stands.
ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
FORM = "application/x-www-form-urlencoded"


def middleware(application: Application, is_looked_at: Looked, judge: Judge) -> Application:
    """The ASGI application, which gets only calls that the judge lets pass.

    The judge is asked in the account and Region of the call. A request that cannot be read is left to the application.
    """

    async def judged(scope: Message, receive: Any, send: Any) -> None:
        headers = _headers(scope)
        if not _may_be_looked_at(scope, headers, is_looked_at):
            await application(scope, receive, send)
            return
        body = await read_body(receive)
        refused = _refusal(_message(scope, headers, body), is_looked_at, judge)
        if refused:
            logger.warning("refused: %s", refused)
            await refusals.answer(send, refused, headers)
            return
        await application(scope, replaying(body, receive), send)

    return judged


def _headers(scope: Message) -> dict[str, str]:
    listed = scope.get("headers") or ()
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in listed}


def _may_be_looked_at(scope: Message, headers: dict[str, str], is_looked_at: Looked) -> bool:
    """Whether the head of the request leaves it open."""
    if scope["type"] != "http" or scope["method"] not in ("POST", "PUT"):
        return False
    target = headers.get("x-amz-target")
    if target:
        return bool(is_looked_at(target.rpartition(".")[2]))
    if scope["method"] == "PUT":
        # A bucket or a setting of it, not an object.
        return bool(scope["path"].strip("/").count("/") == 0)
    return FORM in headers.get("content-type", "")


def _message(scope: Message, headers: dict[str, str], body: bytes) -> calls.Message:
    query = scope.get("query_string", b"").decode("latin-1")
    return calls.Message(scope["method"], scope["path"], query, headers, body)


def _refusal(message: calls.Message, is_looked_at: Looked, judge: Judge) -> Refused | None:
    action = ACTION.search(message.body) if FORM in message.headers.get("content-type", "") else None
    if action and not is_looked_at(action[1].decode()):
        return None
    asked = parse_qs(message.query, keep_blank_values=True)
    headers = dict(message.headers)
    service = detect_service(message.method, message.path, headers, asked)
    try:
        found = reading.read(service, message)
        if not is_looked_at(found.call.operation):
            return None
        call = with_body(found)
    except ValueError:
        return None
    with responses.request_scope(settings.ACCOUNT_ID, extract_region(headers, asked)):
        return judge(call)


def with_body(found: reading.Reading) -> Call:
    """The call with what an XML body says."""
    call = found.call
    shape = routes.model(call.service).operation_model(call.operation).input_shape
    return replace(call, parameters={**call.parameters, **xml_payload.read(shape, found.message.body)})
