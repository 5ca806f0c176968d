# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A worker follows the drain marker, stays protected while it has tasks, and takes tasks again if it is not stopped."""

from dataclasses import dataclass, field

import pytest
from sm2a_runtime.worker.drain import PAUSE_SECONDS, POLL_INTERVAL_SECONDS, SETTLE_SECONDS, STAY_SECONDS, Drainer
from sm2a_runtime.worker.protection import ProtectionError, ProtectionPolicy, Protector

SIGN = 48 * 3600.0
OWN = 3600.0


@dataclass
class World:
    """The agent of a task, with a clock that moves a second with each update."""

    now: float = 1000.0
    ends: float = 0.0
    broken: bool = False
    calls: list[tuple[float, bool]] = field(default_factory=list)

    def set_protection(self, enabled: bool, expires_minutes: int) -> None:
        self.calls.append((self.now, enabled))
        if self.broken:
            raise ProtectionError("throttled")
        self.ends = self.now + 60 * expires_minutes if enabled else 0.0

    def protected_seconds(self) -> float:
        if self.broken:
            raise ProtectionError("throttled")
        return max(0.0, self.ends - self.now)

    def protect(self, seconds: float) -> None:
        """What the autoscaler does."""
        self.ends = self.now + seconds

    def run(self, drainer: Drainer, seconds: float, held: int) -> set[bool]:
        """Updates for that long, and whether tasks were taken meanwhile."""
        taken = set()
        for _ in range(round(seconds)):
            drainer.update(held)
            taken.add(drainer.takes_tasks)
            self.now += 1
        return taken


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def drainer(world: World) -> Drainer:
    policy = ProtectionPolicy(expires_minutes=60, idle_grace_seconds=10, retry_seconds=5)
    return Drainer(world, Protector(world, policy, lambda: world.now), lambda: world.now)


def test_without_the_sign_protection_is_as_ever(world: World, drainer: Drainer) -> None:
    assert world.run(drainer, 30, held=1) == {True}
    assert world.run(drainer, 30, held=0) == {True}
    assert world.calls == [(1000, True), (1040, False)]


def test_a_worker_that_drains_is_protected_to_its_last_task_and_then_released(world: World, drainer: Drainer) -> None:
    world.run(drainer, 30, held=5)
    world.protect(SIGN)
    world.run(drainer, POLL_INTERVAL_SECONDS, held=5)
    # For longer than its own protection would last; nothing renews that, or the marker would be cleared.
    assert world.run(drainer, 7200, held=1) == {False}
    assert world.calls == [(1000, True)]
    done = world.now
    assert world.run(drainer, 1, held=0) == {False}
    assert world.calls[1:] == [(done, False)]


def test_a_worker_that_drained_waits_to_be_stopped_and_then_comes_back(world: World, drainer: Drainer) -> None:
    world.protect(SIGN)
    world.run(drainer, SETTLE_SECONDS + 1, held=0)
    assert world.run(drainer, STAY_SECONDS - 1, held=0) == {False}
    assert world.run(drainer, 1, held=0) == {True}
    assert world.run(drainer, 1, held=1) == {True}
    assert world.calls[-1] == (world.now - 1, True)


def test_the_sign_can_be_taken_back(world: World, drainer: Drainer) -> None:
    world.run(drainer, 1, held=2)
    world.protect(SIGN)
    world.run(drainer, POLL_INTERVAL_SECONDS + 1, held=2)
    assert not drainer.takes_tasks
    world.protect(OWN)
    world.run(drainer, POLL_INTERVAL_SECONDS + PAUSE_SECONDS, held=2)
    assert drainer.takes_tasks
    assert world.calls == [(1000, True)]
    assert world.protected_seconds() > 0


def test_two_polls_never_run_side_by_side(world: World, drainer: Drainer) -> None:
    world.protect(SIGN)
    drainer.update(1)
    marked_at = world.now
    world.protect(OWN)
    world.run(drainer, POLL_INTERVAL_SECONDS + 1, held=1)
    while not drainer.takes_tasks:
        world.run(drainer, 1, held=1)
    assert world.now - marked_at == PAUSE_SECONDS


def test_a_protection_that_nobody_needs_any_more_is_given_back(world: World, drainer: Drainer) -> None:
    world.protect(OWN)
    world.run(drainer, 30, held=0)
    assert world.protected_seconds() == 0


def test_an_agent_that_fails_changes_nothing_and_is_asked_again(world: World, drainer: Drainer) -> None:
    world.protect(SIGN)
    drainer.update(1)
    world.broken = True
    assert world.run(drainer, 60, held=0) == {False}
    tries = [at for at, enabled in world.calls if not enabled]
    assert len(tries) == pytest.approx(60 / 5, abs=2)
    world.broken = False
    world.run(drainer, 6, held=0)
    assert world.protected_seconds() == 0


def test_a_task_that_lost_its_protection_is_protected_again(world: World, drainer: Drainer) -> None:
    world.run(drainer, 30, held=1)
    world.ends = 0.0
    world.run(drainer, POLL_INTERVAL_SECONDS, held=1)
    assert world.protected_seconds() > 0
