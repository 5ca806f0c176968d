# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every call on its way to moto is held to the table of what AWS refuses, which is the local AWS's.

The local AWS looks at calls that make or change something. Here all are looked at, reads and deletions as well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.fault_proxy.calls import signed_service
from sm2a_local_aws.http import parameters
from sm2a_local_aws.iam import judging
from sm2a_local_aws.iam.request import reading
from sm2a_local_aws.iam.request.calls import Message

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True)
class Judged:
    """Each call as ``service:Operation`` with how often it was made, and a line for each that AWS would refuse."""

    counts: Counter[str]
    refused: list[str]


def judge(message: Message) -> tuple[str, str]:
    """The call that a request is, and why AWS refuses it; empty when it does not."""
    service = signed_service(message.headers)
    try:
        found = reading.read(service, message)
        refused = parameters.refusal(judging.with_body(found))
    except ValueError as error:
        return f"{service}:unreadable", f"{message.method} {message.path}: {error}"
    call = f"{found.call.service}:{found.call.operation}"
    return call, f"{refused.code}: {refused}" if refused else ""


def judging_application(application: Application, results: Path) -> Application:
    """The WSGI application; ``results`` gets a line for each signed call, without what is secret."""

    def judged(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "HTTP_AUTHORIZATION" in environ:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = BytesIO(body)
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(judge(_message(environ, body))) + "\n")
        return application(environ, start_response)

    return judged


def read(results: Path) -> Judged:
    """What ``judging_application`` wrote."""
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return Judged(Counter(call for call, _why in lines), sorted({f"{call}: {why}" for call, why in lines if why}))


def _message(environ: dict[str, Any], body: bytes) -> Message:
    named = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers = {**named, "content-type": environ.get("CONTENT_TYPE", "")}
    path = environ["PATH_INFO"].encode("latin-1").decode()
    return Message(environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], headers, body)
