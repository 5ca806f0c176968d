# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A Git repository behind a user and a token, as a Git host serves it by HTTP."""

from __future__ import annotations

import base64
import hmac
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse

BRANCH = "main"
# Neither the settings of the machine nor those of the person who runs the tests.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{role}_NAME": "SM2A" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "sm2a@example.com" for role in ("AUTHOR", "COMMITTER")},
}


class Repository:
    """The bare repository ``dags.git`` in ``directory``, and a working copy that pushes to it."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "served"
        self._copy = directory / "copy"
        self._git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(self.root / "dags.git"))
        self._git("init", "--quiet", f"--initial-branch={BRANCH}", str(self._copy))

    def push(self, files: Mapping[str, str]) -> str:
        """Write ``files`` (path to text), commit and push them; the commit's hash."""
        for name, text in files.items():
            path = self._copy / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._git("-C", str(self._copy), "add", "--all")
        self._git("-C", str(self._copy), "commit", "--quiet", "--message", "Change the DAGs")
        self._git("-C", str(self._copy), "push", "--quiet", str(self.root / "dags.git"), BRANCH)
        return self._git("-C", str(self._copy), "rev-parse", "HEAD").strip()

    @staticmethod
    def _git(*arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True).stdout


class Server(ThreadingMixIn, WSGIServer):
    """Clones of several tasks at once."""

    daemon_threads = True


class SilentHandler(WSGIRequestHandler):
    """Without a line for each request."""

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Nothing."""


@contextmanager
def served(repository: Repository, address: str, user: str, token: str) -> Iterator[str]:
    """Serve the repository on ``address`` to who knows ``token``; yields its URL."""
    wanted = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()

    def application(request: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        if not hmac.compare_digest(request.get("HTTP_AUTHORIZATION", ""), wanted):
            start("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="DAGs"')])
            return [b""]
        return _backend(repository.root, request, start)

    with make_server(address, 0, application, server_class=Server, handler_class=SilentHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{address}:{server.server_port}/dags.git"
        finally:
            server.shutdown()
            thread.join()


def _backend(root: Path, request: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    """Git's own answer (git-http-backend, a CGI program)."""
    cgi = {key: value for key, value in request.items() if isinstance(value, str) and not key.startswith("wsgi.")}
    answer = subprocess.run(
        ["git", "http-backend"],
        input=request["wsgi.input"].read(int(request.get("CONTENT_LENGTH") or 0)),
        env={**cgi, **ENVIRONMENT, "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1"},
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n"))]
    status = next((value for name, value in headers if name == "Status"), "200 OK")
    start(status, [header for header in headers if header[0] != "Status"])
    return [body]
