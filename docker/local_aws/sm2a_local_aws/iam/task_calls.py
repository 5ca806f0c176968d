# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which services tasks called, as which role, and through which VPC endpoint: what a network without NAT needs.

`GET /_sm2a/task_calls` lists them, each once, since the local AWS was started or `DELETE` forgot them.
"""

from __future__ import annotations

import json
from typing import Any

from sm2a_local_aws.asgi import Application, Message, answer_json

PATH = "/_sm2a/task_calls"
# Role's name, service, and id of the endpoint; "" for a call over the internet.
_seen: set[tuple[str, str, str]] = set()


def record(role_arn: str, service: str, endpoint_id: str) -> None:
    """Remember a call; `service` is the name that it is signed for."""
    _seen.add((role_arn.rpartition("/")[2], service, endpoint_id))


def middleware(application: Application) -> Application:
    """The ASGI application with the list in front of it."""

    async def answer(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await application(scope, receive, send)
            return
        if scope["method"] == "DELETE":
            _seen.clear()
        calls = [{"role": role, "service": service, "endpoint": endpoint} for role, service, endpoint in sorted(_seen)]
        await answer_json(send, 200, json.dumps(calls).encode())

    return answer
