# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Containers, volumes and networks are removed in an order that the engine allows."""

from __future__ import annotations

from typing import Any

import pytest
from docker.errors import APIError
from sm2a_local_aws import engine, settings


class Shared:
    """A container that an engine keeps until those that use its network are gone."""

    def __init__(self, *users: Shared) -> None:
        self.users = users
        self.removed = False

    def remove(self, **_options: Any) -> None:
        if not all(user.removed for user in self.users):
            raise APIError("it has dependent containers which must be removed before it")
        self.removed = True


def test_containers_are_removed_in_the_order_that_their_networks_allow() -> None:
    task, sidecar, alone = Shared(), Shared(), Shared()
    network = Shared(task, sidecar)
    engine.remove_containers([network, task, alone, sidecar])
    assert all(one.removed for one in (network, task, alone, sidecar))


def test_a_container_that_stays_is_an_error() -> None:
    kept = Shared(Shared())
    with pytest.raises(APIError, match="dependent containers"):
        engine.remove_containers([kept])


class Engine:
    """An engine that lists a container only when asked a second time; it holds a volume and a network until then."""

    def __init__(self) -> None:
        self.late = Shared()
        self.held = Shared(self.late)
        self.asked = 0
        self.containers = self.volumes = self.networks = self

    def list(self, *, sparse: bool = False, **_options: Any) -> list[Shared]:
        if not sparse:
            return [self.held] if not self.held.removed else []
        self.asked += 1
        return [self.late] if self.asked > 1 and not self.late.removed else []


def test_a_container_that_appears_late_is_removed_with_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "REMOVAL_RETRY_SECONDS", (0,))
    client = Engine()
    assert engine.remove_leftovers(client, settings.Settings()) == 2
    assert client.late.removed
    assert client.held.removed


def test_a_volume_that_stays_in_use_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "REMOVAL_RETRY_SECONDS", (0, 0))
    client = Engine()
    monkeypatch.setattr(client, "late", Shared(Shared()))
    client.held.users = (client.late,)
    with pytest.raises(APIError, match="dependent containers"):
        engine.remove_leftovers(client, settings.Settings())
