# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A session of ECS Exec with a container: started by ExecuteCommand, over a WebSocket that only its token opens."""

from __future__ import annotations

import os
import secrets
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.error_advice import explained
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec import shell
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.channel import (
    ChannelClosedError,
    ChannelError,
    DataChannel,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.encryption import (
    KEY_BYTES,
    DataKey,
    UndecipherableError,
)

try:
    import cryptography
    from websockets.exceptions import ConnectionClosed, WebSocketException
    from websockets.sync.client import connect

    MISSING_LIBRARY = "" if cryptography else "cryptography"
except ImportError as missing:
    MISSING_LIBRARY = str(missing.name).partition(".")[0]

NO_AGENT = (
    "The agent of ECS Exec in the container is not connected. In a task that has just started it may come within a "
    "minute. If it stays so, the task role lacks the rights ssmmessages:*Channel, or the task cannot reach the service "
    "ssmmessages: cluster_execute_command: true and a run of site.yml give it both."
)
NOT_ENABLED = (
    "ECS Exec is off for this task, or its agent does not run: set cluster_execute_command: true and run site.yml, "
    "which replaces the tasks. A container with a read-only root file system has no agent."
)
NO_SHELL = "Commands need sh, base64, sed and cat in the container."
# Pings keep the connection through idle time: load balancers and proxies end silent ones. Nobody waits for the answers.
PING_SECONDS = 20
# For the program to hear that it shall end; AWS ends a session that is idle for 20 minutes.
LAST_SECONDS = 2.0


class SessionError(Exception):
    """A session that cannot be had, or has ended; the text says why and what to do."""


@dataclass(frozen=True)
class Target:
    """A container of a task."""

    cluster: str
    task: str
    container: str

    def __str__(self) -> str:
        return f"container {self.container} of task {self.task.rpartition('/')[2]}"


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
        with suppress(ChannelError, UndecipherableError, OSError, WebSocketException):
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
        started = execute_command(ecs, target, shell.start_command(mark))["session"]
    except AnsibleAWSError as error:
        raise SessionError(refusal(error)) from error

    def make_key(key_id: str) -> DataKey:
        return data_key(ecs, client("kms"), target, key_id, str(started["sessionId"]))

    opened = ExitStack()
    with _told(target, "while it began"), ExitStack() as stack:
        socket = stack.enter_context(_connected(str(started["streamUrl"]), seconds))
        channel = DataChannel(_Patient(socket), make_key)
        channel.open(str(started["tokenValue"]), seconds)
        session = Session(target, channel, opened.close)
        session.wait_until_ready(mark)
        opened.push(stack.pop_all())
        return session


@call("run a command in a container")
def execute_command(ecs: Any, target: Target, command: str) -> dict[str, Any]:
    """ExecuteCommand. A session that nobody opens, after a lost answer, ends by itself."""
    answer: dict[str, Any] = ecs.execute_command(
        cluster=target.cluster, task=target.task, container=target.container, command=command, interactive=True
    )
    return answer


def data_key(ecs: Any, kms: Any, target: Target, key_id: str, session_id: str) -> DataKey:
    """A key for this session only: KMS decrypts it for nobody who does not name session and container."""
    task_id = target.task.rpartition("/")[2]
    try:
        runtime_id = _runtime_id(ecs, target)
        name = f"ecs:{target.cluster.rpartition('/')[2]}_{task_id}_{runtime_id}"
        return generate_data_key(kms, key_id, {"aws:ssm:SessionId": session_id, "aws:ssm:TargetId": name})
    except AnsibleAWSError as error:
        raise ChannelError(explained(error)) from error


@call("make the key of a session")
def generate_data_key(kms: Any, key_id: str, context: dict[str, str]) -> DataKey:
    """GenerateDataKey."""
    made = kms.generate_data_key(KeyId=key_id, NumberOfBytes=KEY_BYTES, EncryptionContext=context)
    return DataKey(made["Plaintext"], made["CiphertextBlob"])


def refusal(error: AnsibleAWSError) -> str:
    """Why AWS starts no session, and what to do about it."""
    code = str(getattr(error.exception, "response", {}).get("Error", {}).get("Code", ""))
    if code == "TargetNotConnectedException":
        return f"{error}. {NO_AGENT}"
    if code == "InvalidParameterException" and "execute command was not enabled" in str(error.exception):
        return f"{error}. {NOT_ENABLED}"
    return explained(error)


def _runtime_id(ecs: Any, target: Target) -> str:
    for task in api.describe_tasks(ecs, target.cluster, [target.task]):
        for container in task.get("containers") or ():
            if container["name"] == target.container:
                return str(container.get("runtimeId"))
    raise ChannelError(f"ECS has no {target} any more")


@contextmanager
def _connected(url: str, seconds: float) -> Iterator[Any]:
    """The WebSocket; proxies are those of the environment, as botocore's."""
    secure = url.startswith("wss:")
    tls = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None) if secure else None
    with connect(
        url,
        ssl=tls,
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
    except (ChannelError, UndecipherableError) as error:
        raise SessionError(f"The session with {target} failed {when}: {error}") from error
    except (OSError, WebSocketException) as error:
        said = str(error) or type(error).__name__
        raise SessionError(
            f"The connection of the session with {target} was lost {when} ({said}): what ran may go on running. Look "
            "at the network between here and ssmmessages, and whether the task still runs."
        ) from error
