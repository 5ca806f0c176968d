# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every way to check a password is limited. Airflow, Flask and FastAPI are stood in for; counting has its own test."""

import importlib
import sys
import time
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sm2a_runtime.front_door import requests
from sm2a_runtime.front_door.delays import Limits
from sm2a_runtime.front_door.requests import Request

NAME = "sm2a_runtime.front_door.security_manager"
WAYS = ("auth_user_db", "auth_user_ldap", "check_password")


class RefusedError(Exception):
    """What FastAPI's HTTPException says."""

    def __init__(self, status: int, _message: str, headers: dict[str, str]) -> None:
        super().__init__(status, headers)


class Upstream:
    """Airflow's security manager: the password is "right"; "down" finds no database."""

    def auth_user_db(self, _username: Any, password: Any, _rotate_session_id: bool = True) -> Any:
        if password == "down":
            raise ConnectionError
        return "user" if password == "right" else None

    auth_user_ldap = check_password = auth_user_db


class Counter:
    """Stands in for FailedLogins."""

    def __init__(self) -> None:
        self.limits, self.waits, self.calls = Limits(), 0, []  # type: ignore[var-annotated]
        self.broken = False

    def attempt(self, *arguments: Any) -> int:
        if self.broken:
            raise ConnectionError
        self.calls.append(("attempt", *arguments[:2]))
        return self.waits

    def take_back(self, *arguments: Any) -> None:
        self.calls.append(("take_back", *arguments))

    def succeeded(self, *arguments: Any) -> None:
        self.calls.append(("succeeded", *arguments[:2]))


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module, imported with what it builds on stood in for."""
    override = "airflow.providers.fab.auth_manager.security_manager.override"
    parts = override.split(".")
    for depth in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:depth]), ModuleType(".".join(parts[:depth])))
    vars(sys.modules["airflow"])["settings"] = SimpleNamespace()
    vars(sys.modules[override])["FabAirflowSecurityManagerOverride"] = Upstream
    flask, fastapi = ModuleType("flask"), ModuleType("fastapi")
    vars(flask).update(has_request_context=lambda: False)
    vars(fastapi).update(HTTPException=RefusedError)
    monkeypatch.setitem(sys.modules, "flask", flask)
    monkeypatch.setitem(sys.modules, "fastapi", fastapi)
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    loaded = importlib.import_module(NAME)
    monkeypatch.setattr(loaded, "FAILURE_SECONDS", 0.05)
    yield loaded
    sys.modules.pop(NAME, None)


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def manager(module: Any, counter: Counter) -> Any:
    made = module.SecurityManager()
    vars(made)["_failed_logins"] = counter
    return made


@pytest.fixture
def request_(request: pytest.FixtureRequest) -> Iterator[Request]:
    """A request from 192.0.2.1 is being served."""
    served = Request("192.0.2.1")
    token = requests.current.set(served)
    yield served
    requests.current.reset(token)


@pytest.mark.parametrize("way", WAYS)
def test_every_check_of_a_password_counts(request_: Request, manager: Any, counter: Counter, way: str) -> None:
    assert not getattr(manager, way)("admin", "wrong")
    assert counter.calls == [("attempt", "admin", "192.0.2.1")]
    request_.attempts.clear()
    assert getattr(manager, way)("admin", "right")
    assert counter.calls[-1] == ("succeeded", "admin", "192.0.2.1")


@pytest.mark.parametrize("way", WAYS)
def test_an_attempt_too_early_is_not_made(request_: Request, manager: Any, counter: Counter, way: str) -> None:
    counter.waits = 7
    with pytest.raises(RefusedError) as raised:
        getattr(manager, way)("admin", "right")
    assert raised.value.args == (429, {"Retry-After": "7"})


def test_what_cannot_be_counted_is_not_checked(request_: Request, manager: Any, counter: Counter) -> None:
    counter.broken = True
    with pytest.raises(RefusedError) as raised:
        manager.auth_user_db("admin", "right")
    assert raised.value.args[0] == 429


def test_a_check_that_fails_to_run_is_taken_back(request_: Request, manager: Any, counter: Counter) -> None:
    with pytest.raises(ConnectionError):
        manager.auth_user_db("admin", "down")
    assert [call[0] for call in counter.calls] == ["attempt", "take_back"]


def test_two_checks_of_one_request_are_one_attempt(request_: Request, manager: Any, counter: Counter) -> None:
    """Airflow asks LDAP first and its own users then."""
    manager.auth_user_ldap("admin", "wrong")
    manager.auth_user_db("admin", "right")
    manager.auth_user_db("other", "wrong")
    assert [call[:2] for call in counter.calls] == [("attempt", "admin"), ("succeeded", "admin"), ("attempt", "other")]


def test_a_wrong_login_takes_its_time(request_: Request, manager: Any) -> None:
    started = time.monotonic()
    manager.auth_user_db("nobody", "wrong")
    assert time.monotonic() - started >= 0.05


def test_the_command_line_and_zero_have_no_limit(manager: Any, counter: Counter) -> None:
    assert manager.auth_user_db("admin", "right")
    counter.limits = Limits(free=0)
    token = requests.current.set(Request("192.0.2.1"))
    assert not manager.auth_user_db("admin", "wrong")
    requests.current.reset(token)
    assert counter.calls == []
