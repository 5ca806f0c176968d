# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Attacks on the front door of the deployed stack: the execution API, passwords, Host, kept cookies, framed pages."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.sm2a.airflow.tests.integration.visitor import ask, browser_session, sign_in
from ansible_collections.sm2a.airflow.tests.support.stack import browser, engine
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Stack
from ansible_collections.sm2a.airflow.tests.support.stack.settings import HTTPS_PORT, NAME, URL

pytestmark = pytest.mark.chain("stack")

# The application decodes paths and has slashes of its own; the load balancer's rules do not.
SPELLINGS = [
    "/execution",
    "/execution/",
    "/execution/docs",
    "/execution/redoc",
    "/execution/health",
    "/execution/changelog",
    "/execution/openapi.json",
    "/execution/docs/",
    "/execution//docs",
    "/execution/./docs",
    "/execution/docs?x=/auth",
    "//execution/docs",
    "/./execution/docs",
    "/auth/../execution/docs",
    "/%65xecution/docs",
    "/%65%78%65%63%75%74%69%6F%6E/health",
    "/execution%2Fdocs",
    "/execution%2fhealth",
    "%2Fexecution/docs",
    "/%2e/execution/docs",
    "/%2565xecution/docs",
    "/execution;x=1/docs",
    "/Execution/docs",
    "/EXECUTION/health",
    "/api/v2/../../execution/health",
]
# What only the execution API says.
# Of a wait, so that what a test asks next still falls into it.
LONG_SECONDS = 16
EXECUTION_API = re.compile(r'swagger-ui|redoc|"openapi"|"status":"healthy"|changelog')
ATTACKER, ANOTHER = "127.0.0.66", "127.0.0.67"
HEADERS = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
}
# Methods and paths of the web server's own routing, of the execution API apart.
ROUTES = """
from airflow.api_fastapi.app import create_app
from starlette.routing import Mount
def walk(routes, prefix):
    for route in routes:
        inner = getattr(getattr(route, "app", None), "routes", None) if isinstance(route, Mount) else None
        if inner is not None:
            walk(inner, prefix + route.path)
        elif not isinstance(route, Mount):
            for method in route.methods:
                print("ROUTE", method, prefix + route.path)
app = create_app(apps="core")
walk(app.routes, "")
for rule in app.state.auth_manager.flask_app.url_map.iter_rules():
    for method in rule.methods:
        print("ROUTE", method, "/auth" + rule.rule)
"""
# Reviewed: what answers without a login. The last one is the page of the user interface, for any path.
PUBLIC = {
    "/openapi.json",
    "/auth/openapi.json",
    "/auth/login/",
    "/api/v2/version",
    "/api/v2/monitor/health",
    "/{rest_of_path:path}",
}
PAGES = [
    "/",
    "/dags",
    "/dags/sm2a_smoke",
    "/dags/sm2a_smoke/runs",
    "/dags/sm2a_smoke/code",
    "/dags/sm2a_smoke/details",
    "/dag_runs",
    "/task_instances",
    "/assets",
    "/events",
    "/variables",
    "/connections",
    "/pools",
    "/security/users",
    "/auth/users/list/",
    "/auth/users/add",
    "/auth/roles/list/",
    "/auth/resetmypassword/form?pk=1",
]


@pytest.fixture(scope="module")
def web_server(stack: Stack) -> str:
    """A container of a web server."""
    return engine.containers(NAME, "api-server")[0]


@pytest.mark.parametrize("path", SPELLINGS)
def test_execution_api_is_not_public(stack: Stack, path: str) -> None:
    answer = ask(path)
    assert answer.status >= 400 or not EXECUTION_API.search(answer.text), answer
    plain = ask(path, secure=False)
    assert plain.status in (301, 404), plain
    assert plain.headers.get("location", URL).startswith(URL), plain
    for host in ("evil.example", "api-server:8080", "127.0.0.1"):
        other = ask(path, headers={"Host": host})
        assert other.status >= 400, other


def test_execution_api_is_not_public_by_an_absolute_address(stack: Stack) -> None:
    context = ssl._create_unverified_context()  # noqa: S323
    request = f"GET https://localhost:{HTTPS_PORT}/execution/health HTTP/1.1\r\nHost: localhost:{HTTPS_PORT}\r\n"
    with socket.create_connection(("127.0.0.1", HTTPS_PORT), 30) as plain, context.wrap_socket(plain) as secure:
        secure.sendall(f"{request}Connection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: secure.recv(65536), b"")).decode(errors="replace")
    assert not EXECUTION_API.search(answer), answer


def test_plain_execution_api_is_refused_by_the_load_balancer(stack: Stack) -> None:
    for secure in (True, False):
        for path in ("/execution", "/execution/docs"):
            answer = ask(path, secure=secure)
            assert (answer.status, answer.text) == (404, "")


def test_execution_api_goes_on_inside(web_server: str) -> None:
    ask_itself = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/execution/health').status)"
    assert engine.execute(web_server, "python", "-c", ask_itself).strip() == "200"


def test_only_reviewed_routes_answer_without_a_login(web_server: str) -> None:
    lines = engine.execute(web_server, "python", "-c", ROUTES).splitlines()
    routes = sorted({tuple(line.split()[1:]) for line in lines if line.startswith("ROUTE ")})
    assert len(routes) > 200
    open_routes = set()
    for method, route in routes:
        if method in ("HEAD", "OPTIONS"):
            continue
        path = re.sub(r"[{<][^}>]*[}>]", "1", route)
        answer = ask(path, method, body=None if method == "GET" else {})
        if answer.status < 300:
            open_routes.add(route)
        assert answer.status < 500, (method, path, answer)
    assert open_routes <= PUBLIC, open_routes - PUBLIC


def wrong_passwords(username: str, attempts: int, address: str, at_once: int = 1) -> tuple[Counter[int], set[str]]:
    """How often each status answered wrong passwords, and the web servers that did."""

    def attempt(number: int) -> tuple[int, str]:
        path = "/auth/token" if number % 3 else "/auth/token/cli"
        body = {"username": username, "password": f"wrong-{number}"}
        # Without the load balancer's cookie, the web servers answer in turn. What a client forwards is its own story.
        answer = ask(path, "POST", address=address, body=body, headers={"X-Forwarded-For": f"10.1.2.{number}"})
        cookie = re.search(r"AWSALB=([^;]+)", answer.headers.get("set-cookie", ""))
        return answer.status, base64.urlsafe_b64decode(cookie[1]).decode() if cookie else ""

    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(attempt, range(attempts)))
    return Counter(status for status, _server in answers), {server for _status, server in answers if server}


def try_until_the_wait_is_long(username: str, address: str) -> None:
    """Go on with wrong passwords, so that the next attempt has to wait however slow this machine is."""
    wait = 0
    while wait < LONG_SECONDS:
        time.sleep(wait)
        answer = ask("/auth/token", "POST", address=address, body={"username": username, "password": "wrong"})
        assert answer.status in (401, 429), answer
        wait = int(answer.headers.get("retry-after", 0))


@pytest.mark.parametrize("at_once", [1, 15])
def test_passwords_are_not_tried_without_limit_on_two_web_servers(
    stack: Stack, admin: dict[str, str], certificate: str, at_once: int
) -> None:
    address = f"127.0.1.{at_once}"
    statuses, servers = wrong_passwords(admin["username"], 30, address, at_once)
    assert len(servers) == 2
    # Five are free; between the others, a second or more has to pass.
    assert statuses[429] >= 20, statuses
    assert statuses[401] <= 10, statuses
    assert statuses[401] + statuses[429] == 30, statuses
    try_until_the_wait_is_long(admin["username"], address)
    right = ask("/auth/token", "POST", address=address, body=admin)
    assert right.status == 429, "the right one is not tried either"
    assert int(right.headers["retry-after"]) >= 1
    form = sign_in(browser_session(certificate, address), admin["username"], admin["password"])
    assert form.status_code == 429, "nor in the form"
    # The administrator is not locked out.
    AirflowApi(admin["username"], admin["password"], certificate)
    assert sign_in(browser_session(certificate), admin["username"], admin["password"]).status_code == 302


def test_a_user_that_does_not_exist_has_the_same_limit(stack: Stack) -> None:
    statuses, _servers = wrong_passwords("nobody-of-that-name", 30, ANOTHER)
    assert statuses[429] >= 20, statuses
    assert statuses[401] + statuses[429] == 30, statuses


@pytest.mark.parametrize(
    "path", ["/", "/auth/login/", "/api/v2/version", "/api/v2/dags", "/static/nothing", "/execution"]
)
def test_headers_protect_every_answer(stack: Stack, path: str) -> None:
    answer = ask(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert "awselb" not in answer.headers.get("server", "")


def test_pages_work_under_the_content_security_policy(stack: Stack, admin: dict[str, str]) -> None:
    assert browser.refused(URL, admin["username"], admin["password"], PAGES) == {}


@pytest.mark.parametrize(
    "path", ["/", "/dags", "/auth/login", "/auth/users/list", "/auth/users/list/", "/api/v2/auth/login", "/auth/logout"]
)
def test_an_unknown_host_is_repeated_nowhere(stack: Stack, path: str) -> None:
    for secure in (True, False):
        for headers in (
            {"Host": "evil.example"},
            {"Host": "localhost.evil.example"},
            {"Host": f"evil.example:{HTTPS_PORT}"},
            {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
        ):
            answer = ask(path, secure=secure, headers=headers)
            assert "evil.example" not in str(answer.headers), (headers, answer)
            if secure and "Host" in headers:
                assert answer.status in (404, 421), answer


def opens(cookies: dict[str, str], certificate: str) -> dict[str, int]:
    """What somebody with these cookies gets."""
    session = browser_session(certificate)
    bearer = {"Authorization": f"Bearer {cookies.get('_token', '')}"}
    return {
        "API": session.get(f"{URL}/api/v2/dags", cookies=cookies, timeout=30).status_code,
        "API, token": session.get(f"{URL}/api/v2/dags", headers=bearer, timeout=30).status_code,
        "page": session.get(f"{URL}/auth/users/list/", cookies=cookies, timeout=30, allow_redirects=False).status_code,
    }


@pytest.mark.parametrize("sign_out", ["/api/v2/auth/logout", "/auth/logout", "/auth/logout/"])
def test_kept_cookies_open_nothing_after_signing_out(
    stack: Stack, admin: dict[str, str], certificate: str, sign_out: str
) -> None:
    session = browser_session(certificate)
    assert sign_in(session, admin["username"], admin["password"]).status_code == 302
    first = dict(session.cookies.items())
    session.get(f"{URL}/auth/", timeout=30)
    kept = dict(session.cookies.items())
    for cookie in session.cookies:
        if cookie.name in ("session", "_token"):
            assert cookie.secure, cookie
            assert cookie.has_nonstandard_attr("HttpOnly"), cookie
            # At most as long as a session may be idle.
            assert cookie.expires is None or cookie.expires - time.time() <= 4 * 3600 + 60, cookie
    assert set(opens(kept, certificate).values()) == {200}
    session.get(f"{URL}{sign_out}", timeout=30)
    for cookies in (kept, first, {"_token": kept["_token"]}, {"session": kept["session"]}):
        after = opens(cookies, certificate)
        assert after["API"] in (401, 403), (cookies.keys(), after)
        assert after["API, token"] in (401, 403), (cookies.keys(), after)
        assert after["page"] == 302, (cookies.keys(), after)
