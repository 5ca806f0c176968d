# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy in front of a local AWS that makes calls go wrong as rules say (rules.py)."""

from __future__ import annotations

import http.client
import http.server
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.sm2a.airflow.tests.support.fault_proxy.answers import Answer, error
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.calls import identify
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Book, Rule

UPSTREAM_SECONDS = 120
# Headers that belong to one connection, not to the message.
HOP_BY_HOP = ("connection", "content-length", "date", "expect", "keep-alive", "server", "transfer-encoding")


class FaultProxy(http.server.ThreadingHTTPServer):
    """Listens on a free loopback port. ``book`` decides; ``trap`` stops the clock after a number of changes."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        parts = urlsplit(upstream)
        self.upstream = (str(parts.hostname), int(parts.port or 80))
        self.book = Book()
        self.trapped = threading.Event()
        self._changes_left: int | None = None
        self._trap_lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        """Its address, for ``endpoint_url``."""
        return f"http://127.0.0.1:{self.server_port}"

    def trap(self, changes: int | None) -> None:
        """Let AWS do so many calls that are no reads, then keep the last reply and every later call; None ends it.

        ``trapped`` is set when that call was done: who kills the client then has killed it at that very call.
        """
        with self._trap_lock:
            self._changes_left = changes
            self.trapped.clear()

    def count_change(self) -> bool:
        """Count a call that was done; whether its reply is kept."""
        with self._trap_lock:
            if self._changes_left is None:
                return False
            self._changes_left -= 1
            return self._changes_left <= 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away; that is what faults are for."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of a client, with one connection of its own to the local AWS."""

    server: FaultProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body of an answer in one write.
    wbufsize = 65536

    def setup(self) -> None:
        super().setup()
        self.upstream = http.client.HTTPConnection(*self.server.upstream, timeout=UPSTREAM_SECONDS)

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    def handle_expect_100(self) -> bool:
        """Tell S3's clients to send the body, at once: without the answer they wait for a second."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def handle_one_call(self) -> None:
        """Identify, decide, and answer or break the connection."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        call = identify(self.command, self.path, self.headers, body)  # type: ignore[arg-type]
        if self.server.trapped.is_set():
            self.reset()
            return
        rule = self.server.book.decide(call)
        if rule is not None and rule.kind not in ("lost", "latency"):
            self.fail(rule, error(call, rule))
            return
        if rule is not None and rule.kind == "latency":
            time.sleep(rule.seconds)
        answer = self.forward(body)
        if not call.reads and self.server.count_change():
            self.server.trapped.set()
            self.reset()
        elif rule is not None and rule.kind == "lost":
            self.reset()
        else:
            self.send(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = handle_one_call  # noqa: N815

    def fail(self, rule: Rule, answer: Answer) -> None:
        """A call that does not reach AWS."""
        if rule.kind in ("reset", "hang"):
            time.sleep(rule.seconds)
            self.reset()
        else:
            self.send(answer)

    def forward(self, body: bytes) -> Answer:
        """What the local AWS answers."""
        headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP_BY_HOP}
        self.upstream.request(self.command, self.path, body, headers)
        reply = self.upstream.getresponse()
        data = reply.read()
        kept = {key: value for key, value in reply.getheaders() if key.lower() not in HOP_BY_HOP}
        kept["Content-Length"] = (
            (reply.getheader("Content-Length") or "0") if self.command == "HEAD" else str(len(data))
        )
        return Answer(reply.status, kept, data)

    def send(self, answer: Answer) -> None:
        """Answer the client."""
        self.send_response(answer.status)
        for key, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(key, value)
        body = b"" if self.command == "HEAD" or answer.status in (204, 304) else answer.body
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """Break the connection so that the client sees a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_arguments: Any) -> None:
        """The book is the log."""


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """Serve a proxy in front of ``upstream`` (http://host:port) until the end of the block."""
    with FaultProxy(upstream) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join(timeout=10)
