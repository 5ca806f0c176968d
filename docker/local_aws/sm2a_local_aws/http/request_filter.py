# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which requests reach the API at all: those of AWS clients and container engines, none of a browser's.

A web page that is open on this machine can send requests to its addresses: to the address itself, which its browser
marks, or to a name of its own that it lets point here (DNS rebinding), which the Host shows. Neither is answered.
"""

from __future__ import annotations

import ipaddress
import json
import logging
from collections.abc import Iterable
from typing import Any

from sm2a_local_aws import settings
from sm2a_local_aws.asgi import Application, Message
from sm2a_local_aws.ecs_exec.sessions import PATH as DATA_CHANNEL_PATH
from sm2a_local_aws.http.outages import PATH as OUTAGES_PATH
from sm2a_local_aws.iam.task_calls import PATH as TASK_CALLS_PATH

logger = logging.getLogger("sm2a.request_filter")

Headers = list[tuple[bytes, bytes]]

LOCALHOST = "localhost"
# Browsers add these by themselves and let no page leave them out. They send Sec-Fetch-* to secure addresses and to
# loopback only, Origin not with every GET, so that the name of the program counts as well.
BROWSER_HEADER_PREFIXES = (b"origin", b"sec-", b"access-control-")
# What every client of a WebSocket sends; of a browser's it is beside Origin.
WEBSOCKET_HEADER_PREFIX = b"sec-websocket-"
BROWSER_AGENT = b"mozilla/"
# The asynchronous client of kombu, with which Celery's workers receive, calls itself so. No browser does, and a page
# that wants another name must first ask whether it may (a preflight).
KOMBU_AGENT = b"mozilla/5.0 (compatible; pycurl)"
# Paths of the local AWS itself, for who operates it or tests with it: not for tasks, so on loopback only.
OPERATOR_PATHS = ("/_ministack/health", "/_ministack/reset", "/_ministack/config", OUTAGES_PATH, TASK_CALLS_PATH)
# What would let a page of another origin read an answer.
CROSS_ORIGIN_HEADER_PREFIXES = (b"access-control-", b"timing-allow-origin", b"cross-origin-")


def middleware(application: Application) -> Application:
    """The ASGI application, with everything refused that is not an AWS client's or a container engine's request."""
    names = (LOCALHOST, *settings.current().bind_addresses)

    async def answer(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await application(scope, receive, send)
            return
        problem = _problem(scope, names)
        if problem is None:
            await application(scope, receive, _without_cross_origin_headers(send))
            return
        logger.warning("refused a request: %s", problem)
        await _refuse(scope, receive, send, problem)

    return answer


def _problem(scope: Message, names: Iterable[str]) -> str | None:
    """Why the request is refused, None when it is not."""
    headers: Headers = [(name.lower(), value) for name, value in scope.get("headers") or ()]
    is_websocket = scope["type"] == "websocket"
    if is_websocket and not DATA_CHANNEL_PATH.fullmatch(scope["path"]):
        return "the local AWS offers no WebSocket but those of ECS Exec"
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or not _is_known(hosts[0], names):
        return f"the Host {_readable(hosts)} is not one of {', '.join(names)}"
    if is_websocket:
        headers = [(name, value) for name, value in headers if not name.startswith(WEBSOCKET_HEADER_PREFIX)]
    marks = [name for name, _value in headers if name.startswith(BROWSER_HEADER_PREFIXES)]
    if marks:
        return f"a browser sent it (header {_readable(marks)})"
    agents = [value.lower() for name, value in headers if name == b"user-agent"]
    if any(agent.startswith(BROWSER_AGENT) and agent != KOMBU_AGENT for agent in agents):
        return "a browser sent it (header user-agent)"
    if scope["path"].startswith("/_") and not _is_operators(scope):
        return "this path is not offered here"
    return None


def _is_known(host: bytes, names: Iterable[str]) -> bool:
    """Whether the Host, with any port, is one of the names or below one, as in `bucket.localhost` of S3 clients."""
    name = host.decode("latin-1").lower().rpartition(":")[0] if b":" in host else host.decode("latin-1").lower()
    return any(name == known or name.endswith(f".{known}") for known in names)


def _is_operators(scope: Message) -> bool:
    """Whether it is a known path, and was asked for on loopback, where no container gets."""
    server = scope.get("server") or ("", 0)
    return scope["path"] in OPERATOR_PATHS and ipaddress.ip_address(server[0] or "0.0.0.0").is_loopback  # noqa: S104


def _readable(values: list[bytes]) -> str:
    """Values of a stranger for an error or a log line: escaped and short."""
    return ascii(b", ".join(values).decode("latin-1")[:100])


def _without_cross_origin_headers(send: Any) -> Any:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers") or ()
                if not name.lower().startswith(CROSS_ORIGIN_HEADER_PREFIXES)
            ]
            message = {**message, "headers": kept}
        await send(message)

    return sent


async def _refuse(scope: Message, receive: Any, send: Any, problem: str) -> None:
    if scope["type"] != "http":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    body = json.dumps({"__type": "AccessDeniedException", "message": f"Refused: {problem}."}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
