# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets are read with the AWS client's own rules, and errors name the secret but never its value."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sm2a_runtime.secret_store import SecretError, read_json_secret, read_secret

SECRETS = {
    "text": "value",
    "login": '{"username": "u", "password": "canary"}',
    "list": '["canary"]',
    "broken": "{canary",
}


class FlakyServer(HTTPServer):
    """Fails this many times to give the secret `flaky`."""

    failures = 2


class Handler(BaseHTTPRequestHandler):
    """GetSecretValue over SECRETS; the secret `binary` has no string."""

    server: FlakyServer

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["SecretId"]
        if name == "flaky":
            self.server.failures -= 1
            failed = self.server.failures >= 0
            status, answer = (500, {}) if failed else (200, {"SecretString": "at last"})
        elif name == "binary":
            status, answer = 200, {"Name": name, "SecretBinary": ""}
        elif name in SECRETS:
            status, answer = 200, {"Name": name, "SecretString": SECRETS[name]}
        else:
            status, answer = 400, {"__type": "ResourceNotFoundException", "message": "no such secret"}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with FlakyServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield
        server.shutdown()
        thread.join()


def test_a_text_secret() -> None:
    assert read_secret("text") == "value"


def test_a_server_error_is_retried_only_with_several_attempts() -> None:
    with pytest.raises(SecretError, match="500"):
        read_secret("flaky", attempts=1)
    assert read_secret("flaky") == "at last"


def test_the_wanted_keys_of_a_json_secret() -> None:
    assert read_json_secret("login", "username") == {"username": "u"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "ResourceNotFoundException"),
        ("binary", "no string value"),
        ("list", "not a JSON object"),
        ("broken", "not a JSON object"),
        ("login", "no key 'email'"),
    ],
)
def test_errors_name_the_secret_and_not_its_value(name: str, reason: str) -> None:
    with pytest.raises(SecretError, match=reason) as caught:
        read_json_secret(name, "email")
    assert name in str(caught.value)
    assert "canary" not in str(caught.value)
