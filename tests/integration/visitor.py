# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Somebody at the front door: raw requests to the load balancer's listeners, and a session of the sign-in page."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from ansible_collections.sm2a.airflow.tests.support.stack.settings import HTTP_PORT, HTTPS_PORT, URL
from requests.adapters import HTTPAdapter

CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What the load balancer said; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    text: str


def ask(
    path: str,
    method: str = "GET",
    *,
    secure: bool = True,
    address: str = "127.0.0.1",
    body: dict[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request from a loopback address, its path sent as it is written."""
    connection: http.client.HTTPConnection
    if secure:
        # That the certificate is the right one is tested elsewhere.
        context = ssl._create_unverified_context()  # noqa: S323
        port = HTTPS_PORT
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, context=context, timeout=60, source_address=(address, 0)
        )
    else:
        port = HTTP_PORT
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(address, 0))
    fields = {"Host": f"localhost:{port}", "Content-Type": "application/json"}
    fields |= headers or {}
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, fields)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)
    finally:
        connection.close()


class From(HTTPAdapter):
    """Requests come from this loopback address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> Any:
        return super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


def browser_session(certificate: str, address: str = "127.0.0.1") -> requests.Session:
    """A session that keeps cookies and follows no redirect by itself."""
    session = requests.Session()
    session.trust_env = False
    session.verify = certificate
    session.mount("https://", From(address))
    return session


def sign_in(session: requests.Session, username: str, password: str) -> requests.Response:
    """Send the form of the sign-in page; the answer to it."""
    page = session.get(f"{URL}/auth/login/", timeout=30)
    token = CSRF.search(page.text)
    assert token, page.text
    form = {"csrf_token": token[1], "username": username, "password": password}
    return session.post(
        f"{URL}/auth/login/", data=form, timeout=30, allow_redirects=False, headers={"Referer": f"{URL}/auth/login/"}
    )
