# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A command in a container, behind a terminal of the container engine.

As AWS's agent does, it is split like a shell would, run without one, as root of the container:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
from typing import Any

from docker.errors import DockerException
from requests.exceptions import RequestException

from sm2a_local_aws import engine, settings
from sm2a_local_aws.ecs_exec.sessions import Session

ROOT = "0"
ENVIRONMENT = {"TERM": "xterm-256color"}
# Ends the program in the foreground, and then a shell that waits for input.
INTERRUPT = b"\x03\x04"


class StartError(Exception):
    """The command does not start; the agent says why."""


class Terminal:
    """A started command."""

    def __init__(self, exec_id: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._exec_id = exec_id
        self._reader = reader
        self._writer = writer

    async def read(self, size: int) -> bytes:
        """Its output; b"" at the end."""
        with contextlib.suppress(ConnectionError):
            return await self._reader.read(size)
        return b""

    async def write(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def resize(self, columns: int, rows: int) -> None:
        await asyncio.to_thread(_resize, self._exec_id, columns, rows)

    async def close(self) -> None:
        """End it, if it still runs."""
        await self.write(INTERRUPT)
        with contextlib.suppress(ConnectionError):
            self._writer.close()
            await self._writer.wait_closed()


async def start(session: Session) -> Terminal:
    """Run the session's command; StartError when it cannot."""
    try:
        command = shlex.split(session.command)
    except ValueError as error:
        raise StartError(f"Failed to parse commands input: {error}") from error
    if not command:
        raise StartError("Failed to parse commands input: the command is empty")
    try:
        exec_id = await asyncio.to_thread(_create, session.container_id, command)
        return await _attach(exec_id)
    except (DockerException, RequestException, OSError, asyncio.IncompleteReadError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise StartError(f"Failed to start pty: {said}") from error


def _create(container_id: str, command: list[str]) -> str:
    client = engine.connect(settings.current())
    made = client.api.exec_create(
        container_id, command, stdin=True, tty=True, user=ROOT, environment=ENVIRONMENT, stdout=True, stderr=True
    )
    return str(made["Id"])


def _resize(exec_id: str, columns: int, rows: int) -> None:
    # The command may have ended meanwhile.
    with contextlib.suppress(DockerException, RequestException):
        engine.connect(settings.current()).api.exec_resize(exec_id, height=rows, width=columns)


async def _attach(exec_id: str) -> Terminal:
    """Start it on a connection of its own: the client library may keep the first bytes of the output to itself."""
    socket = str(settings.current().engine_socket).removeprefix("unix://")
    reader, writer = await asyncio.open_unix_connection(socket)
    body = json.dumps({"Detach": False, "Tty": True}).encode()
    head = (
        f"POST /exec/{exec_id}/start HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    status = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]
    if status.split()[1] not in (b"101", b"200"):
        said = await reader.read(4096)
        writer.close()
        raise OSError(_message(said) or status.decode(errors="replace"))
    return Terminal(exec_id, reader, writer)


def _message(answer: bytes) -> str:
    try:
        found: Any = json.loads(answer)
    except ValueError:
        return ""
    return str(found.get("message", "")) if isinstance(found, dict) else ""
