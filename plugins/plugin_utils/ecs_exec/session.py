# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A session of ECS Exec with a container: started by ExecuteCommand, over a WebSocket that only its token opens."""

from __future__ import annotations

import os
import secrets
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec import calls, shell
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.calls import Target
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.channel import (
    ChannelClosedError,
    ChannelError,
    DataChannel,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.encryption import DataKey

try:
    import cryptography
    from websockets.exceptions import ConnectionClosed, WebSocketException
    from websockets.sync.client import connect

    MISSING_LIBRARY = "" if cryptography else "cryptography"
except ImportError as missing:
    MISSING_LIBRARY = str(missing.name).partition(".")[0]

NO_SHELL = "Commands need sh, base64, cat, sed and stty in the container."
# Pings keep the connection through idle time: load balancers and proxies end silent ones. Nobody waits for the answers.
PING_SECONDS = 20
# For the program to hear that it shall end; AWS ends a session that is idle for 20 minutes.
LAST_SECONDS = 2.0


class SessionError(Exception):
    """A session that cannot be had, or has ended; the text says why and what to do."""


class _Patient:
    """A WebSocket that tells of its end by ``recv`` only, after all that came before: also why the session ended."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    def send(self, message: str | bytes, /) -> None:
        with suppress(ConnectionClosed):
            self._socket.send(message)

    def recv(self, timeout: float | None = None) -> str | bytes:
        received: str | bytes = self._socket.recv(timeout=timeout)
        return received


class Session:
    """A started session: its program runs one command after the other."""

    def __init__(self, target: Target, channel: DataChannel, close: Callable[[], None]) -> None:
        self._target = target
        self._channel = channel
        self._close = close
        self._lines = shell.Lines()

    def wait_until_ready(self, mark: str) -> None:
        """Until the program says the mark."""
        said: list[bytes] = []
        while not shell.is_ready(said, mark):
            try:
                said += self._lines.split(self._channel.read())
            except ChannelClosedError as error:
                reason = str(error) or shell.readable([*said, self._lines.rest]) or "nothing was said"
                raise SessionError(f"No shell starts in {self._target}: {reason}. {NO_SHELL}") from error

    def run(self, command: str, pieces: Iterable[bytes], output: shell.Sink, errors: shell.Sink) -> int:
        """The exit code of a command; ``pieces`` are its standard input. The sinks get what it writes as it comes."""
        mark = secrets.token_hex(8)
        answer = shell.Answer(mark, output, errors)
        with _told(self._target, "while a command ran"):
            for part in shell.request(mark, command, pieces):
                self._channel.write(part)
            while not answer.complete:
                for line in self._lines.split(self._channel.read()):
                    answer.take(line)
        try:
            return answer.exit_code
        except LookupError as error:
            raise SessionError(f"{self._target} told no exit code, but: {error.args[0]}. {NO_SHELL}") from error

    def close(self) -> None:
        """End the program, and with it the session."""
        with suppress(ChannelError, ValueError, OSError, WebSocketException):
            self._channel.write(shell.END_OF_FILE)
            self._channel.flush(LAST_SECONDS)
        self._close()


def start(ecs: Any, client: Callable[[str], Any], target: Target, seconds: float) -> Session:
    """A session with the container; SessionError when there is none within that time.

    ``ecs`` is a boto3 client; ``client`` makes one of another service, for KMS where sessions are encrypted.
    """
    if MISSING_LIBRARY:
        raise SessionError(f"The Python package {MISSING_LIBRARY} is missing where Ansible runs: install it")
    mark = secrets.token_hex(8)
    try:
        started = calls.execute_command(ecs, target, shell.start_command(mark))["session"]
    except AnsibleAWSError as error:
        raise SessionError(calls.refusal(error)) from error

    def make_key(key_id: str) -> DataKey:
        return calls.data_key(ecs, client("kms"), target, key_id, str(started["sessionId"]))

    opened = ExitStack()
    with _told(target, "while it began"), ExitStack() as stack:
        socket = stack.enter_context(_connected(ecs, str(started["streamUrl"]), seconds))
        channel = DataChannel(_Patient(socket), make_key)
        channel.open(str(started["tokenValue"]), seconds)
        session = Session(target, channel, opened.close)
        session.wait_until_ready(mark)
        opened.push(stack.pop_all())
        return session


@contextmanager
def _connected(ecs: Any, url: str, seconds: float) -> Iterator[Any]:
    """The WebSocket; proxies are those of the environment, as botocore's."""
    secure = url.startswith("wss:")
    tls = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None) if secure else None
    with connect(
        url,
        ssl=tls,
        additional_headers=calls.signature(ecs, url),
        compression=None,
        open_timeout=seconds,
        close_timeout=1,
        ping_interval=PING_SECONDS,
        ping_timeout=None,
    ) as socket:
        yield socket


@contextmanager
def _told(target: Target, when: str) -> Iterator[None]:
    """Errors of the session in one sentence."""
    try:
        yield
    except ChannelClosedError as error:
        reason = str(error) or "the task or the container has stopped, or somebody ended the session"
        raise SessionError(f"The session with {target} ended {when}: {reason}") from error
    # ValueError: the other side sent what is none of this protocol, or was encrypted with another key.
    except (ChannelError, ValueError) as error:
        raise SessionError(f"The session with {target} failed {when}: {error}") from error
    except (OSError, WebSocketException) as error:
        said = str(error) or type(error).__name__
        raise SessionError(
            f"The connection of the session with {target} was lost {when} ({said}): what ran may go on running. Look "
            "at the network between here and ssmmessages, and whether the task still runs."
        ) from error
