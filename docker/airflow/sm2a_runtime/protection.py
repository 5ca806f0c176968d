# Copyright: SM2A contributors
# Apache License 2.0
"""ECS task scale-in protection: hold it while the worker holds messages, give it back when it has been idle a while.

`ProtectionPolicy` decides and does nothing; `EcsAgent` does and decides nothing; `Protector` joins them.
Times are seconds of a monotonic clock.
"""

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

log = logging.getLogger(__name__)


class Action(Enum):
    """What to ask of ECS."""

    PROTECT = "protect"
    RELEASE = "release"


@dataclass(frozen=True)
class ProtectionPolicy:
    """When to protect, renew and release."""

    expires_minutes: int = 60
    idle_grace_seconds: float = 10.0
    retry_seconds: float = 5.0

    @property
    def renew_seconds(self) -> float:
        """A third of the life of a protection: two renewals may fail before it expires."""
        return self.expires_minutes * 60 / 3

    def decide(self, memory: "Memory", held: int, now: float) -> tuple["Memory", Action | None]:
        """What to do now that `held` messages are held, and what to remember."""
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
    """What the policy knows of the past: when protection was last granted, since when idle, when ECS last failed."""

    protected_at: float | None = None
    idle_since: float | None = None
    failed_at: float | None = None

    def succeeded(self, action: Action, now: float) -> "Memory":
        """After ECS did what was asked."""
        return replace(self, protected_at=now if action is Action.PROTECT else None, failed_at=None)

    def failed(self, now: float) -> "Memory":
        """After ECS did not. A protection that was held stays held until it expires."""
        return replace(self, failed_at=now)


class ProtectionError(Exception):
    """The ECS agent refused or did not answer."""


class Agent(Protocol):
    """Whoever can set the protection of this task."""

    def set_protection(self, enabled: bool, expires_minutes: int) -> None:
        """Set it, or raise ProtectionError."""


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
        request = urllib.request.Request(  # noqa: S310 (the scheme is the agent's)
            f"{self.uri}/task-protection/v1/state",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="PUT",
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
            raise ProtectionError(f"unexpected answer: {json.dumps(answer)[:200]}")


class Protector:
    """Keeps the protection of this task in step with the messages that its worker holds."""

    def __init__(self, agent: Agent, policy: ProtectionPolicy, clock: Callable[[], float]) -> None:
        self._agent = agent
        self._policy = policy
        self._clock = clock
        self._memory = Memory()

    def update(self, held: int) -> None:
        """Act on the number of messages held now. Failures of the agent are logged and tried again later."""
        self._memory, action = self._policy.decide(self._memory, held, self._clock())
        if action is None:
            return
        try:
            self._agent.set_protection(action is Action.PROTECT, self._policy.expires_minutes)
        except ProtectionError as error:
            if self._memory.failed_at is None:
                log.warning("Task protection: cannot %s, will try again: %s", action.value, error)
            self._memory = self._memory.failed(self._clock())
        else:
            log.info("Task protection: %s (messages held: %d)", action.value, held)
            self._memory = self._memory.succeeded(action, self._clock())
