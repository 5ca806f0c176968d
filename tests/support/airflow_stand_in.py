# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A web server that answers for Airflow's REST API over TLS: one user, one DAG, and runs that end as a test says."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.certificate import KeyPair

DAG = "sm2a_smoke"
USER = {"username": "admin", "password": "a-password-of-the-tests"}
TOKEN = "a-token-of-the-tests"


@dataclass
class Airflow:
    """What the server does, and what it was asked."""

    url: str = ""
    paused: bool = True
    # Who may log in; None lets everybody in.
    user: dict[str, str] | None = field(default_factory=lambda: dict(USER))
    # Answers with 404 before the DAG is known.
    unknown: int = 0
    # Requests that get no answer of Airflow's, before all others do.
    broken: int = 0
    # How each look at a run finds it; the last stays.
    states: list[str] = field(default_factory=lambda: ["queued", "running", "success"])
    login_status: int = 201
    # Whether the answer to the first start is lost.
    loses_start: bool = False
    runs: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    logins: list[dict[str, str]] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any, authorization: str) -> tuple[int, Any]:
        """Status and JSON."""
        self.asked.append(f"{method} {path}")
        if self.broken:
            self.broken -= 1
            return 503, None
        if path == "/auth/token":
            self.logins.append(body)
            known = self.user in (None, body) and self.login_status == 201
            return (
                (201, {"access_token": TOKEN})
                if known
                else (self.login_status if self.login_status != 201 else 401, {})
            )
        if authorization != f"Bearer {TOKEN}":
            return 401, {"detail": "Not authenticated"}
        return self._of_dag(method, path.partition("?")[0].removeprefix(f"/api/v2/dags/{DAG}"), body)

    def _of_dag(self, method: str, rest: str, body: Any) -> tuple[int, Any]:
        if rest.startswith("/api") or self.unknown:
            self.unknown -= bool(self.unknown)
            return 404, {"detail": "The Dag was not found"}
        if method == "PATCH":
            self.paused = body["is_paused"]
        if method == "POST":
            return self._start(body)
        if rest.endswith("/taskInstances"):
            return 200, {"task_instances": [{"task_id": "square"}, {"task_id": "square"}, {"task_id": "add"}]}
        if rest:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return (200, {"state": state}) if state != "deleted" else (404, {"detail": "not found"})
        return 200, {"dag_id": DAG, "is_paused": self.paused}

    def _start(self, body: Any) -> tuple[int, Any]:
        if body["dag_run_id"] in self.runs:
            return 409, {"detail": "exists"}
        self.runs[body["dag_run_id"]] = body["conf"]
        if self.loses_start:
            self.loses_start = False
            return 502, None
        return 200, {"dag_run_id": body["dag_run_id"], "state": "queued"}


@contextmanager
def serving(pair: KeyPair, folder: Path) -> Iterator[Airflow]:
    """The server on a port of this machine, with this certificate."""
    airflow = Airflow()

    class Handler(BaseHTTPRequestHandler):
        """Hands each request on."""

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

        def _any(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(text) if text else None
            status, answer = airflow.answer(self.command, self.path, body, self.headers.get("Authorization", ""))
            said = b"<html>" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            if 300 <= status < 400:
                self.send_header("Location", "https://login.example.com/")
            self.end_headers()
            self.wfile.write(said)

    for method in ("GET", "POST", "PATCH"):
        setattr(Handler, f"do_{method}", Handler._any)
    (folder / "server.pem").write_bytes(pair.certificate + pair.private_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    airflow.url = f"https://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield airflow
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
