# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the web server does before anything else with a request that came through the load balancer.

Workers call the execution API inside the VPC. It is at the same port as the pages for people, so a request from outside
is told apart by a header that the load balancer adds and a client cannot take away.
"""

import fnmatch
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.routing import Match, Mount

from sm2a_runtime.front_door.client_address import Network, client_address
from sm2a_runtime.front_door.requests import Request, current

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

# Every Application Load Balancer adds it; the proxies of ECS Service Connect do not.
FROM_LOAD_BALANCER = b"x-forwarded-port"
INTERNAL_MOUNT = "/execution"


class FrontDoor:
    """ASGI middleware: refuses what is not for the public, and notes who asks."""

    def __init__(self, app: Application, host_names: Sequence[str], trusted_proxies: Sequence[Network]) -> None:
        self._app = app
        self._host_names = [name.lower() for name in host_names]
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        token = current.set(Request(self._client(scope)))
        try:
            await self._app(scope, receive, send)
        finally:
            current.reset(token)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        if not _values(scope, FROM_LOAD_BALANCER):
            return None
        if not all(self._is_ours(host) for host in _values(scope, b"host")):
            return PlainTextResponse("This server does not answer for that name.\n", 421)
        return PlainTextResponse("Not Found\n", 404) if is_internal(scope) else None

    def _is_ours(self, host: str) -> bool:
        name = re.sub(r":\d+$", "", host).lower()
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._host_names)

    def _client(self, scope: Scope) -> str:
        forwarded_for = ",".join(_values(scope, b"x-forwarded-for")) or None
        peer = (scope.get("client") or ("unknown",))[0]
        return client_address(forwarded_for, peer, self._trusted_proxies)


def is_internal(scope: Scope) -> bool:
    """Whether the application's own routing leads to the execution API, however the path is spelled."""
    mounts = [route for route in scope["app"].routes if isinstance(route, Mount) and route.path == INTERNAL_MOUNT]
    return any(mount.matches(scope)[0] is not Match.NONE for mount in mounts)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
