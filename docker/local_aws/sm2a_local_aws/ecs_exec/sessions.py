# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Sessions that ExecuteCommand has started and that wait to be opened, once, by who has the token."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sm2a_local_aws import settings

PREFIX = "ecs-execute-command-"
PATH = re.compile(rf"/v1/data-channel/{PREFIX}[0-9a-z]+")
# AWS does not tell how long a token can be used; a client opens the session at once.
TOKEN_SECONDS = 60.0
ROLE = "publish_subscribe"


@dataclass(frozen=True)
class Session:
    """A command that is to run in a container of a task."""

    task: dict[str, Any]
    container: dict[str, Any]
    # The engine's id of the container.
    container_id: str
    command: str
    # The KMS key that the cluster wants sessions encrypted with, "" without.
    kms_key_id: str
    # Where the cluster wants sessions recorded (logConfiguration), {} where it names nothing.
    logs: Mapping[str, Any] = field(default_factory=dict)
    session_id: str = field(default_factory=lambda: PREFIX + secrets.token_hex(9)[:17])
    token: str = field(default_factory=lambda: secrets.token_urlsafe(96), repr=False)

    @property
    def path(self) -> str:
        return f"/v1/data-channel/{self.session_id}"

    @property
    def stream_url(self) -> str:
        """Where to open it: AWS's is at wss://ssmmessages.<Region>.amazonaws.com."""
        address = settings.current().endpoint_url.replace("http://", "ws://", 1)
        return f"{address}{self.path}?role={ROLE}"

    @property
    def target_id(self) -> str:
        """What Session Manager calls the container."""
        cluster = self.task["clusterArn"].rpartition("/")[2]
        task_id = self.task["taskArn"].rpartition("/")[2]
        return f"ecs:{cluster}_{task_id}_{self.container['runtimeId']}"


class Waiting:
    """The sessions that nobody has opened yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, tuple[float, Session]] = {}

    def add(self, session: Session) -> None:
        with self._lock:
            now = self._clock()
            self._sessions = {path: item for path, item in self._sessions.items() if item[0] > now}
            self._sessions[session.path] = (now + TOKEN_SECONDS, session)

    def take(self, path: str, token: str) -> Session | None:
        """The session at this path, if the token is its own; it is nobody's afterwards, whatever the token was."""
        with self._lock:
            ends, session = self._sessions.pop(path, (0.0, None))
        if session is None or ends <= self._clock():
            return None
        return session if secrets.compare_digest(session.token.encode(), token.encode()) else None


WAITING = Waiting()
