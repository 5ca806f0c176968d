# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A call whose parameters AWS refuses is refused here, so that the local AWS hides no fault from a real account."""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import parse_qs

from ministack.core.router import detect_service

from sm2a_local_aws.asgi import Application, Message, read_body, replaying
from sm2a_local_aws.http import xml_payload
from sm2a_local_aws.iam.refusals import Refused, answer
from sm2a_local_aws.iam.request import calls, reading, routes
from sm2a_local_aws.iam.request.reading import Unreadable
from sm2a_local_aws.limits import models, rules, tags

logger = logging.getLogger("sm2a.limits")

# Calls that make or change something. What tasks at work send all the time is not looked at.
JUDGED = re.compile(
    r"(Add|Allocate|Associate|Attach|Authorize|Create|DeleteDBInstance$|DeleteSecret$|Enable|Import|Modify|"
    r"Put(?!Object|MetricData|LogEvents)|Register|Replace|Request|ResetDBParameterGroup|Restore|RunTask|ScheduleKey|Set|"
    r"Subscribe|Tag|Update)"
)
# What a service says of wrong values, where it is not ValidationException (JSON) or ValidationError (query).
CODES = {
    "ec2": "InvalidParameterValue",
    "rds": "InvalidParameterValue",
    "s3": "MalformedXML",
    "sqs": "InvalidParameterValue",
}
JSON_CODE, QUERY_CODE = "ValidationException", "ValidationError"


def middleware(application: Application) -> Application:
    """The ASGI application, which gets only calls within AWS's limits."""

    async def judged(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT"):
            await application(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not _may_be_judged(scope, headers):
            await application(scope, receive, send)
            return
        body = await read_body(receive)
        refused = _refusal(scope, headers, body)
        if refused:
            logger.warning("refused parameters: %s", refused)
            await answer(send, refused, headers)
            return
        await application(scope, replaying(body, receive), send)

    return judged


def _may_be_judged(scope: Message, headers: dict[str, str]) -> bool:
    """Whether the head of the request leaves it open."""
    target = headers.get("x-amz-target")
    if target:
        return JUDGED.match(target.rpartition(".")[2]) is not None
    if scope["method"] == "PUT":
        # A bucket or a setting of it, not an object.
        return str(scope["path"]).strip("/").count("/") == 0
    return "x-www-form-urlencoded" in headers.get("content-type", "")


def _refusal(scope: Message, headers: dict[str, str], body: bytes) -> Refused | None:
    """Why AWS refuses the call; None when it does not, or when the request cannot be read, which others say."""
    query = scope.get("query_string", b"").decode("latin-1")
    message = calls.Message(scope["method"], scope["path"], query, headers, body)
    asked = parse_qs(query, keep_blank_values=True)
    service = detect_service(message.method, message.path, headers, asked)
    try:
        read = reading.read(service, message)
        call = read.call
        if not JUDGED.match(call.operation):
            return None
        shape = routes.model(call.service).operation_model(call.operation).input_shape
        given = {**call.parameters, **xml_payload.read(shape, read.message.body)}
    except (Unreadable, ValueError):
        return None
    for code, sentence in rules.problems(call.service, call.operation, given):
        return Refused(service, code, sentence, status=400)
    found = [*models.problems(shape, given), *tags.problems(call.service, given)]
    if not found:
        return None
    code = CODES.get(call.service) or (JSON_CODE if "x-amz-target" in headers else QUERY_CODE)
    many = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
    return Refused(service, code, f"{many}: {'; '.join(found)}", status=400)
