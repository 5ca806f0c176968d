# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a listener of elbv2_load_balancer does: people log in by OpenID Connect, programs get through without.

The local load balancer, an identity provider and a web server of a few lines speak the protocol.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import x509 as certificates
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.support.emulators import local_aws
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll
from ansible_collections.sm2a.airflow.tests.unit.plugins.other_machine import listen_elsewhere

LOOPBACK = "127.0.0.1"
CLIENT_SECRET = "the-secret-of-airflow"
TOKEN = "token-of-ada"


@dataclass(frozen=True)
class Identity:
    """How a server of these tests proves that it is 127.0.0.1."""

    certificate: Path
    private_key: Path


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    directory = tmp_path_factory.mktemp("identity")
    found = Identity(directory / "certificate.pem", directory / "private_key.pem")
    made = certificates.self_signed([LOOPBACK], 2)
    found.certificate.write_text(made.certificate, encoding="utf-8")
    found.private_key.write_text(made.private_key, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory, identity: Identity) -> Iterator[str]:
    """A local AWS whose load balancers answer, and trust the identity provider."""
    trusted = str(identity.certificate)
    with local_aws(tmp_path_factory.mktemp("local_aws"), "--bind-listeners", SSL_CERT_FILE=trusted) as url:
        yield url


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers in JSON."""

    def answer(self, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""


class Provider(Answering):
    """The identity provider: a token for any code, and the claims of whoever has the token."""

    server: Server

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.forms.append({name: values[0] for name, values in form.items()})
        self.answer({"access_token": TOKEN, "token_type": "Bearer"})

    def do_GET(self) -> None:
        self.answer({"sub": "ada"} if self.headers["Authorization"] == f"Bearer {TOKEN}" else {})


class WebServer(Answering):
    """Says what came from the load balancer."""

    def do_GET(self) -> None:
        self.answer({"identity": self.headers["x-amzn-oidc-identity"], "path": self.path})


class Server(http.server.ThreadingHTTPServer):
    """On a socket that listens already. ``forms``: what was posted."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, handler: type[Answering]) -> None:
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.address, self.port = listener.getsockname()
        self.forms: list[dict[str, str]] = []


@contextlib.contextmanager
def served(listener: socket.socket, handler: type[Answering]) -> Iterator[Server]:
    with Server(listener, handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def provider(identity: Identity) -> Iterator[Server]:
    """The load balancer asks it over HTTPS only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.private_key)
    with served(context.wrap_socket(socket.create_server((LOOPBACK, 0)), server_side=True), Provider) as server:
        yield server


@pytest.fixture
def web_server() -> Iterator[Server]:
    """The load balancer forwards to no address of this machine."""
    with served(listen_elsewhere(), WebServer) as server:
        yield server


@pytest.fixture
def target_group(aws: Callable[[str], Any], unique_name: str, web_server: Server) -> str:
    """ARN of the group with the web server."""
    group = {"Name": unique_name, "Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-1", "TargetType": "ip"}
    arn = str(aws("elbv2").create_target_group(**group)["TargetGroups"][0]["TargetGroupArn"])
    targets = [{"Id": web_server.address, "Port": web_server.port}]
    aws("elbv2").register_targets(TargetGroupArn=arn, Targets=targets)
    return arn


@dataclass(frozen=True)
class Site:
    """What a browser sees of the load balancer."""

    port: int
    trusted: ssl.SSLContext

    def get(self, path: str, cookie: str = "") -> tuple[int, http.client.HTTPMessage, str]:
        """(status, headers, text)"""
        connection = http.client.HTTPSConnection(LOOPBACK, self.port, context=self.trusted, timeout=10)
        connection.request("GET", path, headers={"Cookie": cookie})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0


@pytest.fixture
def oidc(aws: Callable[[str], Any], unique_name: str, provider: Server) -> dict[str, Any]:
    """How the load balancer uses the identity provider."""
    aws("secretsmanager").create_secret(Name=unique_name, SecretString=CLIENT_SECRET)
    url = f"https://{LOOPBACK}:{provider.port}"
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorization",
        "token_endpoint": f"{url}/token",
        "user_info_endpoint": f"{url}/userinfo",
        "client_id": "airflow",
        "client_secret_name": unique_name,
    }


@pytest.fixture
def listener(aws: Callable[[str], Any], identity: Identity, target_group: str, oidc: dict[str, Any]) -> dict[str, Any]:
    """An HTTPS listener on a port of its own, with one path for programs."""
    pair = identity.certificate.read_bytes(), identity.private_key.read_bytes()
    imported = aws("acm").import_certificate(Certificate=pair[0], PrivateKey=pair[1])
    return {
        "port": free_port(),
        "protocol": "HTTPS",
        "certificate_arn": imported["CertificateArn"],
        "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "target_group_arn": target_group,
        "authenticate_oidc": oidc,
        "rules": [{"priority": 1, "path_patterns": ["/api/v2/*"]}],
    }


@pytest.fixture
def site(run_module: support.RunModule, unique_name: str, identity: Identity, listener: dict[str, Any]) -> Site:
    """The web server behind a load balancer that the module made."""
    options = {
        "name": unique_name,
        "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "security_group_ids": ["sg-0123456789abcdef0"],
        "listeners": [listener],
    }
    run_module("elbv2_load_balancer", options)
    made = Site(listener["port"], ssl.create_default_context(cafile=identity.certificate))
    assert poll(made.listens, 30, pause=0.1), "the load balancer does not answer"
    return made


def test_people_log_in_and_programs_do_not(site: Site, provider: Server) -> None:
    status, headers, _text = site.get("/home")
    assert status == 302
    asked = urlsplit(headers["Location"])
    query = {name: values[0] for name, values in parse_qs(asked.query).items()}
    assert (asked.path, query["client_id"], query["scope"]) == ("/authorization", "airflow", "openid")
    assert query["redirect_uri"] == f"https://{LOOPBACK}:{site.port}/oauth2/idpresponse"
    status, headers, text = site.get(f"/oauth2/idpresponse?code=granted&state={query['state']}")
    assert status == 302, text
    [form] = provider.forms
    assert (form["code"], form["client_secret"]) == ("granted", CLIENT_SECRET)
    cookie = "; ".join(value.partition(";")[0] for value in headers.get_all("Set-Cookie", []))
    status, _headers, text = site.get("/home", cookie)
    assert (status, json.loads(text)) == (200, {"identity": "ada", "path": "/home"})
    status, _headers, text = site.get("/api/v2/dags")
    assert (status, json.loads(text)) == (200, {"identity": None, "path": "/api/v2/dags"})
    assert site.get("/api/v1/dags")[0] == 302
