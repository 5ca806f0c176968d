# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The load balancers' own ports: every listener is bound on loopback and on the bridge, HTTPS with its certificate."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from ministack import app as ministack_app
from ministack.core.responses import request_scope
from ministack.core.sigv4 import decode_header_value
from ministack.services import alb

from sm2a_local_aws import settings
from sm2a_local_aws.elbv2 import listener_certificates as elbv2_listener_certificates
from sm2a_local_aws.load_balancer import access_logs, tls
from sm2a_local_aws.patching.points import relies_on, replaces

logger = logging.getLogger("sm2a.load_balancer_front")

POLL_INTERVAL_SECONDS = 0.5
CLOSE_SECONDS = 2
IDLE_SECONDS = 60

relies_on("ministack.app", {"_send_if_handled": "c5c84b96f5f7"})
relies_on(
    "ministack.services.alb", {"dispatch_request": "304d4697d602", "_error": "7bbb9cb965a1", "_p": "4073e17ee146"}
)


@dataclass
class Front:
    """One bound port."""

    port: int
    secure: bool
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class ListenerConfig(Config):
    """Hypercorn's settings of one port; its TLS context comes from ACM instead of from files."""

    def __init__(self, port: int, secure: bool) -> None:
        super().__init__()
        self._secure, self._port = secure, port
        self.bind = [f"{address}:{port}" for address in settings.current().bind_addresses]
        self.accesslog = None
        self.errorlog = None
        self.keep_alive_timeout = IDLE_SECONDS
        self.graceful_timeout = CLOSE_SECONDS
        self.shutdown_timeout = CLOSE_SECONDS

    @property
    def ssl_enabled(self) -> bool:
        return self._secure

    def create_ssl_context(self) -> ssl.SSLContext | None:
        if not self._secure:
            return None
        return tls.listening_context(lambda: certificate_arns(self._port))


_fronts: dict[int, Front] = {}


async def run(stop: asyncio.Event) -> None:
    """Bind and release ports as listeners come and go, until told to stop."""
    while not stop.is_set():
        await _follow_listeners()
        try:
            await asyncio.wait_for(stop.wait(), POLL_INTERVAL_SECONDS)
        except TimeoutError:
            continue
    await asyncio.gather(*(_close(front) for front in list(_fronts.values())))


@replaces("ministack.services.alb:_create_listener", "23d4ba6f6584")
def create_listener(original: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    """Refuse a port that this machine cannot bind, because such a listener would be unreachable."""
    port = int(alb._p(parameters, "Port") or 0)
    if port not in _fronts:
        for address in settings.current().bind_addresses:
            problem = _bind_problem(address, port)
            if problem:
                message = f"The local AWS cannot bind {address}:{port} for this listener: {problem}"
                return alb._error("ValidationError", message)
    return original(parameters)


def certificate_arns(port: int) -> list[str]:
    """The certificates of the HTTPS listeners on that port."""
    return [
        arn for _scope, listener in _listeners_on(port) for arn in elbv2_listener_certificates.of_listener(listener)
    ]


async def _follow_listeners() -> None:
    wanted = {
        int(listener["Port"]): listener["Protocol"] in ("HTTPS", "TLS")
        for _key, listener in list(alb._listeners.all_items())
    }
    for port, front in list(_fronts.items()):
        if wanted.get(port) != front.secure or (front.task and front.task.done()):
            await _close(front)
    for port, secure in wanted.items():
        if port not in _fronts:
            front = _fronts[port] = Front(port, secure)
            front.task = asyncio.create_task(_serve(front))


async def _serve(front: Front) -> None:
    try:
        application: Any = _application(front.port)
        await hypercorn_serve(application, ListenerConfig(front.port, front.secure), shutdown_trigger=front.stop.wait)
    except OSError as error:
        logger.error("cannot serve listener port %d: %s", front.port, error)
        await asyncio.sleep(CLOSE_SECONDS)


async def _close(front: Front) -> None:
    _fronts.pop(front.port, None)
    front.stop.set()
    if front.task is not None:
        await asyncio.wait([front.task], timeout=2 * CLOSE_SECONDS)


def _listeners_on(port: int) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    return [
        ((account_id, region), listener)
        for (account_id, region, _arn), listener in list(alb._listeners.all_items())
        if int(listener["Port"]) == port
    ]


def _application(port: int) -> Callable[..., Any]:
    """The ASGI application of one port: a request goes to the load balancer whose listener it reached."""

    async def serve_request(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            # No WebSocket is offered.
            await send({"type": "websocket.close", "code": 1003})
            return
        headers = _headers(scope)
        body = await _body(receive)
        (account_id, region), load_balancer = _load_balancer(port, headers.get("host", ""))
        query = scope.get("query_string", b"").decode("ascii", errors="replace")
        logged = _logged(scope, headers, len(body))
        # As the client wrote it: rules see what is percent-encoded, and the target decodes it.
        path = scope["raw_path"].decode("ascii") if scope.get("raw_path") else scope["path"]
        access_logs.current.set(logged)
        with request_scope(account_id, region):
            response = await alb.dispatch_request(
                load_balancer,
                scope["method"],
                path,
                headers,
                body,
                parse_qs(query, keep_blank_values=True),
                port,
                client_ip=(scope.get("client") or ("127.0.0.1",))[0],
                raw_query_string=query,
                raw_path=path,
            )
            counted = access_logs.counting(send, logged)
            await ministack_app._send_if_handled(counted, response, receive, head=scope["method"] == "HEAD")
            access_logs.keep(account_id, region, load_balancer["LoadBalancerArn"], logged)

    return serve_request


def _logged(scope: dict[str, Any], headers: dict[str, str], received: int) -> access_logs.Request:
    """The request as its line of the access log begins."""
    address, port = scope.get("client") or ("127.0.0.1", 0)
    query = scope.get("query_string", b"").decode("latin-1")
    return access_logs.Request(
        scheme=scope["scheme"],
        client=(address, port),
        method=scope["method"],
        url=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1") + (f"?{query}" if query else ""),
        http_version=scope["http_version"],
        host=headers.get("host", "-"),
        headers=headers,
        received=received,
    )


def _load_balancer(port: int, host: str) -> tuple[tuple[str, str], dict[str, Any]]:
    """The load balancer of the listener on that port; where several share it, the one that the Host names."""
    found = []
    for (account_id, region), listener in _listeners_on(port):
        with request_scope(account_id, region):
            load_balancer = alb._lbs.get(listener["LoadBalancerArn"])
        if load_balancer:
            found.append(((account_id, region), load_balancer))
    name = host.partition(":")[0].lower()
    return next((item for item in found if item[1]["DNSName"].lower() == name), found[0])


def _headers(scope: dict[str, Any]) -> dict[str, str]:
    """Lower-case names; repeated fields joined as RFC 9110 and RFC 9113 (cookies) say."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope.get("headers", []):
        name, value = raw_name.decode("latin-1").lower(), decode_header_value(raw_value)
        if name in headers:
            headers[name] += ("; " if name == "cookie" else ", ") + value
        else:
            headers[name] = value
    return headers


async def _body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _bind_problem(address: str, port: int) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.strerror
    return None
