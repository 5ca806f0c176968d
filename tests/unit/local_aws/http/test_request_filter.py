# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a web page in a browser on this machine can send: refused, whatever it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.stack.browser import FLAGS
from ansible_collections.sm2a.airflow.tools.debian import installed
from kombu.asynchronous.http.curl import DEFAULT_USER_AGENT
from playwright.sync_api import sync_playwright
from sm2a_local_aws import settings
from sm2a_local_aws.http import request_filter
from sm2a_local_aws.settings import Settings

ENGINE_SETTINGS = Settings(engine_socket="unix:///x", subnet="10.91.0.0/24")
CREATE_QUEUE = "Action=CreateQueue&QueueName=attack&Version=2012-11-05"
PATHS = [
    "/",
    "/_ministack/health",
    "/_ministack/reset",
    "/_sm2a/outages",
    "/_sm2a/task_calls",
    "/v2/",
    "/v2/airflow/manifests/latest",
    "/v4/token-of-a-task/task",
    "/api/token-of-a-task/task-protection/v1/state",
    "/bucket/key",
]
MARKS = [
    {"Host": "evil.example"},
    {"Host": "evil.example:4566"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "evil127.0.0.1"},
    {"Host": ""},
    {"Host": "bucket.s3.amazonaws.com"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"},
    {"Sec-CH-UA-Mobile": "?0"},
    {"Access-Control-Request-Method": "POST"},
    {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"},
]


def send(port: int, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
    """One request with exactly these headers, and a Host of AWS clients unless another is given."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": f"127.0.0.1:{port}", **headers}.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode() if body else None)
    return connection.getresponse()


@pytest.mark.parametrize("headers", MARKS, ids=str)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
def test_requests_of_browsers_and_for_unknown_hosts_are_refused(
    control_plane: Any, method: str, headers: dict[str, str]
) -> None:
    for path in PATHS:
        answer = send(control_plane.port, method, path, **headers)
        assert answer.status == 403, path
        assert json.loads(answer.read())["__type"] == "AccessDeniedException"
        assert not [name for name, _value in answer.getheaders() if name.lower().startswith("access-control-")]


def test_a_form_of_another_origin_changes_nothing(control_plane: Any) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert send(control_plane.port, "POST", "/", CREATE_QUEUE, Origin="http://evil.example", **form).status == 403
    assert send(control_plane.port, "GET", f"/?{CREATE_QUEUE}", **{"Sec-Fetch-Mode": "no-cors"}).status == 403
    assert not control_plane.client("sqs").list_queues(QueueNamePrefix="attack").get("QueueUrls")


def test_a_page_cannot_reset_the_account(control_plane: Any) -> None:
    queue = control_plane.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
    assert send(control_plane.port, "POST", "/_ministack/reset", Host="evil.example").status == 403
    assert control_plane.client("sqs").list_queues(QueueNamePrefix="kept")["QueueUrls"] == [queue]


def test_a_page_cannot_take_a_service_away(control_plane: Any) -> None:
    body = json.dumps({"service": "sqs", "seconds": 60})
    text = {"Content-Type": "text/plain", "Origin": "http://evil.example"}
    assert send(control_plane.port, "POST", "/_sm2a/outages", body, **text).status == 403
    control_plane.client("sqs").list_queues()


def test_two_hosts_are_no_host(control_plane: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", control_plane.port, timeout=30)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Host", "127.0.0.1")
    connection.putheader("Host", "evil.example")
    connection.endheaders()
    assert connection.getresponse().status in {400, 403}


def test_no_websocket_is_accepted(control_plane: Any) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "mqtt",
    }
    for host in (f"127.0.0.1:{control_plane.port}", "x.iot.eu-west-1.amazonaws.com"):
        assert send(control_plane.port, "GET", "/mqtt", **{**upgrade, "Host": host}).status == 403


def test_no_answer_can_be_read_by_another_origin(control_plane: Any) -> None:
    s3 = control_plane.client("s3")
    s3.create_bucket(Bucket="readable", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket="readable", CORSConfiguration={"CORSRules": [rule]})
    s3.put_object(Bucket="readable", Key="key", Body=b"x")
    for path in ("/readable/key", "/v2/", "/?Action=ListQueues", "/_ministack/health"):
        headers = [name.lower() for name, _value in send(control_plane.port, "GET", path).getheaders()]
        assert not [name for name in headers if name.startswith(("access-control-", "timing-allow", "cross-origin"))]


@pytest.fixture(autouse=True)
def engine_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `serve` activates, for the filters that are made in this process."""
    monkeypatch.setattr(settings, "_current", [ENGINE_SETTINGS])


def filtered(server: tuple[str, int] | None, path: str, host: str) -> int:
    """The status of an answer of an application that takes everything, behind the filter."""
    statuses: list[int] = []

    async def application(_scope: Any, _receive: Any, send_message: Any) -> None:
        await send_message({"type": "http.response.start", "status": 200, "headers": []})

    async def keep(message: dict[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    scope = {"type": "http", "method": "POST", "path": path, "server": server, "headers": [(b"host", host.encode())]}

    async def ask() -> None:
        await request_filter.middleware(application)(scope, None, keep)

    asyncio.run(ask())
    return statuses[0]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4566", "127.0.0.1", "localhost:5000", "10.91.0.1:4566", "logs.10.91.0.1:4566", "bucket.localhost:4566"],
)
def test_hosts_of_aws_clients_are_known(host: str) -> None:
    assert filtered(("10.91.0.1", 4566), "/", host) == 200


def test_the_asynchronous_client_of_celery_workers_is_no_browser(control_plane: Any) -> None:
    agent = {"User-Agent": DEFAULT_USER_AGENT, "Content-Type": "application/x-www-form-urlencoded"}
    assert send(control_plane.port, "POST", "/", CREATE_QUEUE.replace("attack", "work"), **agent).status == 200


@pytest.mark.parametrize("host", ["10.91.0.2:4566", "x10.91.0.1", "localhost.evil.example", "sm2a", "[::1]:4566"])
def test_other_hosts_are_not(host: str) -> None:
    assert filtered(("10.91.0.1", 4566), "/", host) == 403


@pytest.mark.parametrize("path", request_filter.OPERATOR_PATHS)
def test_what_is_for_the_operator_is_on_loopback_only(path: str) -> None:
    assert filtered(("127.0.0.1", 4566), path, "127.0.0.1:4566") == 200
    # A container reaches the gateway, with whatever Host it likes.
    assert filtered(("10.91.0.1", 4566), path, "127.0.0.1:4566") == 403
    assert filtered(None, path, "127.0.0.1:4566") == 403


@pytest.mark.parametrize(
    "path", ["/_ministack/eks-auth/x", "/_ministack/lambda-code/f", "/_aws/sqs/messages", "/_alb/x"]
)
def test_other_paths_of_ministack_are_closed(path: str) -> None:
    assert filtered(("127.0.0.1", 4566), path, "127.0.0.1:4566") == 403


ATTACK = """<script>
const send = (method, options) => fetch('http://127.0.0.1:PORT/?CREATE', {method, ...options});
(async () => {
  const results = [];
  for (const [method, mode] of [['POST', 'no-cors'], ['GET', 'no-cors'], ['POST', 'cors'], ['PUT', 'cors']]) {
    try { const answer = await send(method, {mode}); results.push(answer.type + answer.status); }
    catch (error) { results.push('failed'); }
  }
  await new Promise(done => {
    const image = new Image();
    image.onerror = image.onload = done;
    image.src = 'http://127.0.0.1:PORT/?CREATE';
  });
  document.title = results.join();
})();
</script>"""


@contextlib.contextmanager
def page_of_a_stranger(html: str) -> Iterator[int]:
    """Serve it on loopback, which is another origin for the browser; the port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_page_in_a_real_browser_reaches_nothing(control_plane: Any) -> None:
    html = ATTACK.replace("PORT", str(control_plane.port)).replace("CREATE", CREATE_QUEUE.replace("attack", "browser"))
    with page_of_a_stranger(html) as port, sync_playwright() as playwright:
        rebind = f"--host-resolver-rules=MAP evil.example 127.0.0.1:{control_plane.port}"
        browser = playwright.chromium.launch(executable_path=installed("chromium", "chromium"), args=[*FLAGS, rebind])
        page = browser.new_page()
        page.goto(f"http://localhost:{port}/")
        page.wait_for_function("document.title !== ''")
        assert page.title() == "opaque0,opaque0,failed,failed"
        # The name of a stranger that leads here: the page itself is refused.
        answer = page.goto("http://evil.example/_ministack/health")
        assert answer is not None
        assert answer.status == 403
        browser.close()
    assert not control_plane.client("sqs").list_queues(QueueNamePrefix="browser").get("QueueUrls")
