# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Late answers on demand: calls that name what was just made answer at first that there is no such thing, as on AWS.

What is late, and what AWS says of it, is in the JSON file of `--late-answers`: a list of creates. Each has `service`
and `operation`; `names`, the JMESPath of the names of what was made, in parameters and answer together; and `late`, a
list of what calls say:

- `service`, `calls` (a regular expression of operations) and `named` (the JMESPath of the parameters that name the
  thing; empty: anywhere in the call, by an identifier that fits the `pattern` of the create) tell the call; `always`
  stands for every such call soon after the create;
- `codes` (the first one is answered), `says` and `status` are the error, or `missing` tells that the answer lists what
  it does not know among its `failures`;

`--late-calls` is how many calls of each operation are told so, within `--late-seconds` of the create.

tests/support/late_answers.py writes such a file from the table by which the modules of SM2A wait.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import botocore.parsers
import jmespath
from ministack.core.router import detect_service

from sm2a_local_aws import settings
from sm2a_local_aws.asgi import Application, Message, read_body, recorded, replaying
from sm2a_local_aws.iam import refusals
from sm2a_local_aws.iam.refusals import Refused
from sm2a_local_aws.iam.request import calls, reading, routes
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.iam.request.reading import Unreadable

logger = logging.getLogger("sm2a.late")

Row = dict[str, Any]
RESET = "/_ministack/reset"
# Members of a request that name nothing that must exist.
DESCRIPTIONS = ("Filter", "Filters", "TagSpecifications", "Tags", "tags")


@dataclass
class Made:
    """What one call made: its create in the file, its names, when, and how often each late answer was given."""

    create: Row
    names: list[str]
    at: float = field(default_factory=time.monotonic)
    told: Counter[tuple[int, str]] = field(default_factory=Counter)


@dataclass
class Lag:
    """The creates of the file, and what was made by them."""

    creates: list[Row]
    calls: int
    seconds: float
    made: list[Made] = field(default_factory=list)

    def answer(self, call: Call) -> tuple[Row, Made] | None:
        """What a call is told instead of the truth, and about what; counts it. None when the truth is known."""
        newest = {id(made.create): made for made in self.made}
        for made in self.made:
            for number, late in enumerate(made.create["late"]):
                if late["service"] != call.service or not re.fullmatch(late["calls"], call.operation):
                    continue
                concerns = newest[id(made.create)] is made if late["always"] else names(late, made, call)
                fresh = time.monotonic() - made.at < self.seconds
                if concerns and fresh and made.told[number, call.operation] < self.calls:
                    made.told[number, call.operation] += 1
                    return late, made
        return None

    def note(self, call: Call, answer: Mapping[str, Any]) -> None:
        """Remember what a successful call made."""
        for create in self.creates:
            if (create["service"], create["operation"]) == (call.service, call.operation):
                found = list(texts(jmespath.search(create["names"], {**call.parameters, **answer})))
                self.made.append(Made(create, found))

    def makes(self, call: Call) -> bool:
        """Whether the file has such a create."""
        return any((one["service"], one["operation"]) == (call.service, call.operation) for one in self.creates)


def texts(value: Any) -> Iterator[str]:
    """All texts in a value of an API, without its filters and tags."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in DESCRIPTIONS:
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def names(late: Row, made: Made, call: Call) -> bool:
    """Whether a call names what was made; an identifier may stand within a text, such as a policy."""
    if late["named"]:
        return not set(made.names).isdisjoint(texts(jmespath.search(late["named"], call.parameters)))
    pattern = made.create["pattern"]
    meant = {name for name in made.names if not pattern or re.fullmatch(pattern, name)}
    said = list(texts(call.parameters))
    return any(name == text or (pattern and name in text) for name in meant for text in said)


def middleware(application: Application) -> Application:
    """The ASGI application, late if it is to be."""
    file = settings.current().late_answers
    if file is None:
        return application
    creates = json.loads(file.read_text(encoding="utf-8"))
    lag = Lag(creates, settings.current().late_calls, settings.current().late_seconds)

    async def answer(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        if scope["path"] == RESET:
            lag.made.clear()
        body = await read_body(receive)
        again = replaying(body, receive)
        call = _call(scope, body)
        told = lag.answer(call) if call else None
        if call and told:
            logger.info("late: %s:%s about %s", call.service, call.operation, told[1].create["operation"])
        if call and told and not told[0]["missing"]:
            await _refuse(scope, send, *told, call)
        elif call and (told or lag.makes(call)):
            messages = await recorded(application, scope, again)
            if told:
                messages = _without(messages, told[1])
            elif messages[0]["status"] < 300:
                lag.note(call, _parsed(scope, call, messages))
            for message in messages:
                await send(message)
        else:
            await application(scope, again, send)

    return answer


def _headers(scope: Message) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _call(scope: Message, body: bytes) -> Call | None:
    """The call that a request is; None for one that is none of AWS's."""
    headers = _headers(scope)
    if "authorization" not in headers:
        return None
    query = scope.get("query_string", b"").decode("latin-1")
    message = calls.Message(scope["method"], scope["path"], query, headers, body)
    try:
        call = reading.identify(detect_service(message.method, message.path, headers, {}), message)
    except Unreadable:
        return None
    # A body that is one text, such as the policy of a bucket, is no parameter to IAM.
    shape = routes.model(call.service).operation_model(call.operation).input_shape
    payload = shape.serialization.get("payload") if shape else None
    if payload and shape.members[payload].type_name == "string":
        return replace(call, parameters={**call.parameters, payload: body.decode(errors="replace")})
    return call


async def _refuse(scope: Message, send: Any, late: Row, made: Made, call: Call) -> None:
    """The first code of a late answer, in the protocol of the service."""
    words = f"{late['says'] or 'Not found:'} '{made.names[0]}'"
    refused = Refused(call.service, late["codes"][0], words, call.operation, status=late["status"])
    if scope["method"] == "HEAD":
        await send({"type": "http.response.start", "status": late["status"], "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    await refusals.answer(send, refused, _headers(scope))


def _without(messages: list[Message], made: Made) -> list[Message]:
    """An answer in JSON that lists what was made as a failure instead."""
    answer = json.loads(b"".join(message.get("body", b"") for message in messages[1:]))
    for member, items in answer.items():
        if isinstance(items, list) and member != "failures":
            answer[member] = [item for item in items if not set(made.names) & set(texts(item))]
    arn = next((name for name in made.names if name.startswith("arn:")), made.names[0])
    answer.setdefault("failures", []).append({"arn": arn, "reason": "MISSING"})
    body = json.dumps(answer).encode()
    kept = [(name, value) for name, value in messages[0]["headers"] if name.lower() != b"content-length"]
    start = {**messages[0], "headers": [*kept, (b"content-length", str(len(body)).encode())]}
    return [start, {"type": "http.response.body", "body": body}]


def _parsed(scope: Message, call: Call, messages: list[Message]) -> Mapping[str, Any]:
    """A successful answer as boto3 reads it."""
    model = routes.model(call.service)
    protocol = "json" if "x-amz-target" in _headers(scope) else model.metadata["protocol"]
    answer = {
        "status_code": messages[0]["status"],
        "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in messages[0]["headers"]},
        "body": b"".join(message.get("body", b"") for message in messages[1:]),
    }
    shape = model.operation_model(call.operation).output_shape
    parsed: Mapping[str, Any] = botocore.parsers.create_parser(protocol).parse(answer, shape)
    return parsed
