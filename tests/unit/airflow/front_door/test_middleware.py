# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a web server refuses of requests that came through the load balancer, on a real application with mounts."""

import asyncio
from typing import Any
from urllib.parse import unquote

import pytest
from sm2a_runtime.front_door import requests
from sm2a_runtime.front_door.middleware import FrontDoor
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

OUTSIDE = {"x-forwarded-port": "443", "x-forwarded-for": "10.9.9.9, 192.0.2.1"}


async def execution(request: Request) -> PlainTextResponse:
    return PlainTextResponse("execution API")


async def page(request: Request) -> PlainTextResponse:
    client = requests.current.get()
    return PlainTextResponse(f"page for {client.client if client else None}")


def application(root_path: str = "") -> Any:
    """As Airflow's: the execution API mounted, and a page for every other path; below a base path if there is one."""
    inner = Starlette(routes=[Route("/{path:path}", execution, methods=["GET", "PATCH"])])
    door = Middleware(FrontDoor, host_names=["airflow.example.com", "*.example.org"], trusted_proxies=[])
    app = Starlette(routes=[Mount("/execution", inner), Route("/{path:path}", page)], middleware=[door])

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "root_path": root_path}, receive, send)

    return served


def ask(app: Any, path: str, headers: dict[str, str], method: str = "GET", host: str = "airflow.example.com") -> Any:
    """(status, text) of a request, decoded as uvicorn decodes it."""
    sent: list[dict[str, Any]] = []
    fields = {"host": host, **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        "client": ("10.0.0.5", 1),
        "scheme": "http",
        "server": ("web", 8080),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()


@pytest.mark.parametrize(
    "path",
    ["/execution/", "/execution/docs", "/%65xecution/docs", "/execution%2Fdocs", "/execution//docs", "/execution/../x"],
)
def test_execution_api_is_for_inside_only(path: str) -> None:
    app = application()
    assert ask(app, path, {}) == (200, "execution API")
    for method in ("GET", "PATCH", "DELETE"):
        assert ask(app, path, OUTSIDE, method)[0] == 404


@pytest.mark.parametrize(
    "path", ["/execution", "/executions", "//execution/docs", "/Execution/docs", "/dags/execution/x"]
)
def test_what_airflow_does_not_lead_there_is_a_page(path: str) -> None:
    assert ask(application(), path, OUTSIDE) == (200, "page for 192.0.2.1")


@pytest.mark.parametrize("path", ["/base/execution/docs", "/execution/docs", "/base/%65xecution/docs"])
def test_a_base_path_opens_no_second_way(path: str) -> None:
    app = application("/base")
    assert ask(app, path, {}) == (200, "execution API")
    assert ask(app, path, OUTSIDE)[0] == 404


def test_no_header_of_a_client_makes_it_an_inside_one() -> None:
    app = application()
    assert ask(app, "/execution/docs", {**OUTSIDE, "x-forwarded-port": ""})[0] == 404
    assert ask(app, "/execution/docs", OUTSIDE, host="api-server:8080")[0] == 421


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("airflow.example.com", 200),
        ("AIRFLOW.example.com:8443", 200),
        ("x.example.org", 200),
        ("evil.example", 421),
        ("airflow.example.com.evil.example", 421),
        ("airflow.example.com@evil.example", 421),
        ("", 421),
    ],
)
def test_only_its_own_names(host: str, status: int) -> None:
    app = application()
    assert ask(app, "/", OUTSIDE, host=host)[0] == status
    assert ask(app, "/", {}, host=host)[0] == 200, "health checks name an address"


def test_the_client_of_a_request_is_known_while_it_is_served() -> None:
    assert ask(application(), "/", {}) == (200, "page for 10.0.0.5")
    assert requests.current.get() is None
