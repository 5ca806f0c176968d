# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ECS scale-in protection: held while the worker holds messages, released when it has been idle for some time.

`ProtectionPolicy` decides, `EcsAgent` calls ECS, and `Protector` combines the two.
Times are seconds of a monotonic clock.
"""

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol

log = logging.getLogger(__name__)

# A call without a response may have succeeded: protect again before anything else, release when idle.
UNKNOWN = float("-inf")


class Action(Enum):
    """What ECS is asked to do."""

    PROTECT = "protect"
    RELEASE = "release"


@dataclass(frozen=True)
class ProtectionPolicy:
    """When to protect, renew and release."""

    expires_minutes: int
    idle_grace_seconds: float = 10.0
    retry_seconds: float = 5.0

    @property
    def renew_seconds(self) -> float:
        """A third of the protection's lifetime: two renewals may fail before it expires."""
        return self.expires_minutes * 60 / 3

    def decide(self, memory: "Memory", held: int, now: float) -> tuple["Memory", Action | None]:
        """The new memory and the action to take while `held` messages are held."""
        idle_since = None if held else (now if memory.idle_since is None else memory.idle_since)
        memory = replace(memory, idle_since=idle_since)
        if memory.failed_at is not None and now - memory.failed_at < self.retry_seconds:
            return memory, None
        if idle_since is None:
            fresh = memory.protected_at is not None and now - memory.protected_at < self.renew_seconds
            return memory, None if fresh else Action.PROTECT
        release = memory.protected_at is not None and now - idle_since >= self.idle_grace_seconds
        return memory, Action.RELEASE if release else None


@dataclass(frozen=True)
class Memory:
    """The state of the policy: when protection was last granted, since when it is idle, when ECS last failed.

    ``protected_at`` is None without protection, and ``UNKNOWN`` after a call that failed.
    """

    protected_at: float | None = None
    idle_since: float | None = None
    failed_at: float | None = None

    def succeeded(self, action: Action, now: float) -> "Memory":
        """The state after a successful call."""
        return replace(self, protected_at=now if action is Action.PROTECT else None, failed_at=None)

    def failed(self, now: float) -> "Memory":
        """The state after ECS refused or did not answer: whether the task is protected is unknown."""
        return replace(self, protected_at=UNKNOWN, failed_at=now)


class ProtectionError(Exception):
    """The ECS agent refused or did not answer."""


class Agent(Protocol):
    """Anything that can set the protection of this task."""

    def set_protection(self, enabled: bool, expires_minutes: int) -> None:
        """Set it; raises ProtectionError."""


@dataclass(frozen=True)
class EcsAgent:
    """The ECS agent endpoint of this task; `uri` is the value of ECS_AGENT_URI."""

    uri: str
    timeout_seconds: float = 5.0

    def set_protection(self, enabled: bool, expires_minutes: int) -> None:
        """Protect this task for some minutes, or end its protection."""
        body: dict[str, bool | int] = {"ProtectionEnabled": enabled}
        if enabled:
            body["ExpiresInMinutes"] = expires_minutes
        self._ask("PUT", json.dumps(body).encode())

    def protected_seconds(self) -> float:
        """Seconds until the protection of this task expires, 0 without protection; raises ProtectionError."""
        protection = self._ask("GET")
        if not protection.get("ProtectionEnabled"):
            return 0.0
        try:
            ends = datetime.fromisoformat(str(protection.get("ExpirationDate")))
        except ValueError:
            raise ProtectionError(f"unexpected response: {json.dumps(protection)[:200]}") from None
        return max(0.0, (ends - datetime.now(UTC)).total_seconds())

    def _ask(self, method: str, body: bytes | None = None) -> dict[str, Any]:
        """Send a request; returns the protection of this task after it."""
        request = urllib.request.Request(  # noqa: S310 (the scheme is the agent's)
            f"{self.uri}/task-protection/v1/state",
            data=body,
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_seconds) as response:  # noqa: S310
                answer = json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise ProtectionError(f"{error}: {error.read(500).decode(errors='replace')}") from None
        except (OSError, ValueError) as error:
            raise ProtectionError(str(error)) from error
        if problem := answer.get("failure") or answer.get("error"):
            raise ProtectionError(json.dumps(problem))
        if "protection" not in answer:
            raise ProtectionError(f"unexpected response: {json.dumps(answer)[:200]}")
        return dict(answer["protection"])


class Protector:
    """Keeps the protection of this task consistent with the messages that its worker holds."""

    def __init__(self, agent: Agent, policy: ProtectionPolicy, clock: Callable[[], float]) -> None:
        self._agent = agent
        self._policy = policy
        self._clock = clock
        self._memory = Memory()

    def update(self, held: int) -> None:
        """Act on the number of messages held now. Errors of the agent are logged, and the call is retried later."""
        self._memory, action = self._policy.decide(self._memory, held, self._clock())
        if action is not None:
            self._act(action, held)

    def release(self) -> bool:
        """Release the protection without an idle grace; True on success. Retries are spaced like those of `update`."""
        failed_at = self._memory.failed_at
        if failed_at is not None and self._clock() - failed_at < self._policy.retry_seconds:
            return False
        return self._act(Action.RELEASE, 0)

    def found(self, protected: bool) -> None:
        """Adopt the protection that ECS reports, which overrides the state kept here."""
        if protected and self._memory.protected_at is None:
            self._memory = replace(self._memory, protected_at=self._clock())
        if not protected:
            self._memory = replace(self._memory, protected_at=None)

    def _act(self, action: Action, held: int) -> bool:
        """Call ECS; True on success."""
        try:
            self._agent.set_protection(action is Action.PROTECT, self._policy.expires_minutes)
        except ProtectionError as error:
            if self._memory.failed_at is None:
                log.warning("Task protection: cannot %s, will retry: %s", action.value, error)
            self._memory = self._memory.failed(self._clock())
            return False
        log.info("Task protection: %s (messages held: %d)", action.value, held)
        self._memory = self._memory.succeeded(action, self._clock())
        return True
