# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Answers the few requests of playbooks/smoke_dag.yml, where the local AWS runs no containers and thus no Airflow."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.acm import x509 as certificates

TOKEN = "of-the-stand-in"


class AirflowStandIn(http.server.ThreadingHTTPServer):
    """Knows every DAG. ``outcome`` is how runs end; ``logins`` and ``started`` tell who came and what was started.

    It serves HTTPS as ``host_name``, with a certificate of its own: ``material``.
    """

    daemon_threads = True

    def __init__(self, host_name: str, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.material = certificates.self_signed([host_name], 365)
        file = directory / "certificate.pem"
        file.write_text(f"{self.material.certificate}\n{self.material.private_key}", encoding="utf-8")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.forget()

    def forget(self) -> None:
        """As if nobody had come yet."""
        self.outcome = "success"
        self.logins: list[dict[str, Any]] = []
        self.started: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    server: AirflowStandIn

    def do_POST(self) -> None:
        """Log in, or start a run."""
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/auth/token":
            self.server.logins.append(sent)
            self._answer(201, {"access_token": TOKEN})
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"detail": "Not authenticated"})
        else:
            self.server.started.append(sent["dag_run_id"])
            self._answer(200, {"dag_run_id": sent["dag_run_id"], "state": "queued"})

    def do_GET(self) -> None:
        """The DAG, a run, or the failed tasks of one."""
        if self.path.partition("?")[0].endswith("/taskInstances"):
            self._answer(200, {"task_instances": [{"task_id": "sum"}]})
        elif "/dagRuns/" in self.path:
            self._answer(200, {"state": self.server.outcome})
        else:
            self._answer(200, {"is_paused": False})

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def airflow_stand_in(host_name: str, directory: Path) -> Iterator[AirflowStandIn]:
    """Serve until the end of the block."""
    server = AirflowStandIn(host_name, directory)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
