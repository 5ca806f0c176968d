# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A token of a page is worth no more than its session. What Airflow and Flask do is stood in for."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

NAME = "sm2a_runtime.front_door.auth_manager"
FAB = "airflow.providers.fab.auth_manager"
OPTIONS = {
    ("api", "base_url"): "https://airflow.example.com:8443/",
    ("api_auth", "jwt_expiration_time"): "28800",
    ("fab", "session_lifetime_minutes"): "240",
}


class Upstream:
    """FabAuthManager, as far as it is built on."""

    def serialize_user(self, user: str) -> dict[str, str]:
        return {"sub": user}

    def deserialize_user(self, token: dict[str, str]) -> str:
        return token["sub"]

    def generate_jwt(self, user: str, *, expiration_time_in_seconds: int) -> str:
        return f"{self.serialize_user(user)} {expiration_time_in_seconds}"

    def get_fastapi_middlewares(self) -> list[Any]:
        return ["airflow's own"]


@pytest.fixture
def flask(monkeypatch: pytest.MonkeyPatch) -> Any:
    stand_in = ModuleType("flask")
    vars(stand_in).update(has_request_context=lambda: False, session=SimpleNamespace(sid="session-1"))
    monkeypatch.setitem(sys.modules, "flask", stand_in)
    return stand_in


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, flask: Any) -> Iterator[Any]:
    contents: dict[str, dict[str, Any]] = {
        "airflow.api_fastapi.auth.managers.base_auth_manager": {"COOKIE_NAME_JWT_TOKEN": "_token"},
        "airflow.configuration": {
            "conf": SimpleNamespace(
                get=lambda section, key, fallback: OPTIONS.get((section, key), fallback),
                getint=lambda section, key: int(OPTIONS[section, key]),
            )
        },
        f"{FAB}.api_fastapi.routes": {"login": SimpleNamespace()},
        f"{FAB}.fab_auth_manager": {"FabAuthManager": Upstream},
        "airflow.utils.session": {"create_session": None},
        "fastapi": {"FastAPI": object},
        "fastapi.routing": {"APIRoute": object},
        "sqlalchemy": {"text": str},
    }
    for name, values in contents.items():
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            path = ".".join(parts[:depth])
            if path not in sys.modules:
                monkeypatch.setitem(sys.modules, path, ModuleType(path))
        vars(sys.modules[name]).update(values)
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    yield importlib.import_module(NAME)
    sys.modules.pop(NAME, None)


@pytest.fixture
def table(module: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Sets what the table of sessions says of the session; None when it has none of that name."""
    row: list[Any] = [None]

    @contextmanager
    def create_session() -> Iterator[Any]:
        yield SimpleNamespace(execute=lambda _query, _names: SimpleNamespace(first=lambda: row[0]))

    monkeypatch.setattr(module, "create_session", create_session)

    def say(value: Any) -> None:
        row[0] = value

    return say


def in_a_page(flask: Any) -> None:
    vars(flask)["has_request_context"] = lambda: True


def test_a_token_of_a_page_names_its_session_and_lasts_half_its_idle_time(module: Any, flask: Any) -> None:
    manager = module.PublicFabAuthManager()
    assert manager.generate_jwt("1") == "{'sub': '1'} 28800"
    assert manager.generate_jwt("1", expiration_time_in_seconds=60) == "{'sub': '1'} 60"
    in_a_page(flask)
    assert manager.generate_jwt("1", expiration_time_in_seconds=28800) == "{'sub': '1', 'sid': 'session-1'} 7200"
    assert manager.generate_jwt("1", expiration_time_in_seconds=60).endswith(" 60"), "what is left of the session"


def test_sessions_in_cookies_have_no_name(module: Any, flask: Any) -> None:
    in_a_page(flask)
    vars(flask)["session"] = {}
    assert module.PublicFabAuthManager().serialize_user("1") == {"sub": "1"}


def test_a_token_ends_with_its_session(module: Any, table: Callable[[Any], None]) -> None:
    manager = module.PublicFabAuthManager()
    assert manager.deserialize_user({"sub": "1"}) == "1", "a token of a program"
    naive = datetime.now(UTC).replace(tzinfo=None)
    ended: list[Any] = [None, (naive - timedelta(seconds=5),), (str(naive - timedelta(seconds=5)),)]
    for row in ended:
        table(row)
        with pytest.raises(ValueError, match="has ended"):
            manager.deserialize_user({"sub": "1", "sid": "session-1"})
    still_open: list[Any] = [
        (naive + timedelta(minutes=1),),
        ((naive + timedelta(minutes=1)).replace(tzinfo=UTC),),
        (None,),
    ]
    for row in still_open:
        table(row)
        assert manager.deserialize_user({"sub": "1", "sid": "session-1"}) == "1"


def test_the_front_door_stands_before_airflows_own(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM2A_HOST_NAMES", "airflow.example.com,*.example.org")
    monkeypatch.setenv("SM2A_TRUSTED_PROXIES", "192.0.2.0/24")
    own, (door, options) = module.PublicFabAuthManager().get_fastapi_middlewares()
    # The last one that is added comes first.
    assert (own, door.__name__) == ("airflow's own", "FrontDoor")
    assert set(options["host_names"]) == {"airflow.example.com", "*.example.org"}
    assert [str(network) for network in options["trusted_proxies"]] == ["192.0.2.0/24"]
