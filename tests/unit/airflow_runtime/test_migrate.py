# Copyright: SM2A contributors
# Apache License 2.0
"""The migration: order of steps, what it reports, and how it fails."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import psycopg2
import pytest
from sm2a_runtime import database_setup, migrate
from sm2a_runtime.database import DatabaseError
from sm2a_runtime.database_setup import Login, Server, wait_for_server
from sm2a_runtime.secret_store import SecretError

ENVIRONMENT = {
    "SM2A_DATABASE_ADDRESS": "db.internal",
    "SM2A_DATABASE_PORT": "5432",
    "SM2A_DATABASE_NAME": "airflow",
    "SM2A_DATABASE_MASTER_SECRET": "arn:master",
    "SM2A_DATABASE_USER_SECRET": "demo/database/airflow",
    "SM2A_RESULT_DATABASE_NAME": "airflow_results",
    "SM2A_RESULT_USER_SECRET": "demo/database/results",
    "SM2A_ADMIN_SECRET": "demo/admin",
}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The steps done, with everything outside replaced; nothing changes unless a test says so."""
    done: list[tuple[Any, ...]] = []

    def recorder(name: str) -> Callable[..., bool]:
        def record(*arguments: Any) -> bool:
            done.append((name, *arguments))
            return False

        return record

    def read_json_secret(secret: str, *keys: str) -> dict[str, str]:
        return {key: f"{key} of {secret}" for key in keys}

    airflow_setup = ModuleType("sm2a_runtime.airflow_setup")
    vars(airflow_setup).update(
        migrate_tables=recorder("tables"),
        ensure_administrator=recorder("administrator"),
        Administrator=lambda **values: values,
    )
    monkeypatch.setitem(sys.modules, "sm2a_runtime.airflow_setup", airflow_setup)
    monkeypatch.setattr(migrate, "read_json_secret", read_json_secret)
    monkeypatch.setattr(migrate, "wait_for_server", recorder("wait"))
    monkeypatch.setattr(migrate, "ensure_database", recorder("database"))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    monkeypatch.setenv("AIRFLOW__LOGGING__FAB_LOGGING_LEVEL", "WARNING")
    return done


def login(secret: str) -> Login:
    return Login(f"username of {secret}", f"password of {secret}")


def test_databases_then_tables_then_the_administrator(
    steps: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert migrate.main() == 0
    server, master = Server("db.internal", 5432), login("arn:master")
    assert steps == [
        ("wait", server, master, 180.0),
        ("database", server, master, login("demo/database/airflow"), "airflow"),
        ("database", server, master, login("demo/database/results"), "airflow_results"),
        ("tables",),
        (
            "administrator",
            {
                "username": "username of demo/admin",
                "email": "email of demo/admin",
                "password": "password of demo/admin",
            },
        ),
    ]
    assert capsys.readouterr().out == "migration: unchanged\n"


def test_results_need_no_database_of_their_own(steps: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SM2A_RESULT_DATABASE_NAME")
    assert migrate.main() == 0
    assert [step[-1] for step in steps if step[0] == "database"] == ["airflow"]


@pytest.mark.parametrize("step", ["ensure_database", "migrate_tables", "ensure_administrator"])
def test_any_changed_step_is_reported(
    steps: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    module = migrate if step == "ensure_database" else sys.modules["sm2a_runtime.airflow_setup"]
    monkeypatch.setattr(module, step, lambda *arguments: True)
    assert migrate.main() == 0
    assert capsys.readouterr().out == "migration: changed\n"


@pytest.mark.parametrize("name", [name for name in ENVIRONMENT if name != "SM2A_RESULT_DATABASE_NAME"])
def test_a_missing_setting_is_named(
    steps: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.delenv(name)
    assert migrate.main() == 1
    assert capsys.readouterr().err == f"migration failed: SettingsError: {name} is not set\n"
    assert steps == []


@pytest.mark.parametrize("error", [SecretError("secret x\n cannot be read"), DatabaseError("a\nb"), SystemExit(1)])
def test_every_failure_is_one_line_and_status_one(
    steps: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
) -> None:
    def fail(*arguments: Any) -> bool:
        raise error

    monkeypatch.setattr(sys.modules["sm2a_runtime.airflow_setup"], "migrate_tables", fail)
    assert migrate.main() == 1
    written = capsys.readouterr().err
    assert written == f"migration failed: {type(error).__name__}: {' '.join(str(error).split())}\n"
    assert all(step[0] != "administrator" for step in steps)


def test_a_login_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(Login("airflow", "hunter2"))


class Refusing:
    """A server that refuses some connections, then accepts."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = list(reasons)
        self.accepted = 0

    def connect(self, login: Login, database: str) -> Any:
        if self.reasons:
            raise psycopg2.OperationalError(self.reasons.pop(0))
        self.accepted += 1
        return self

    def close(self) -> None:
        """As a connection."""


def test_a_starting_server_is_waited_for() -> None:
    server: Any = Refusing("Connection refused", "the database system is starting up", "could not translate host name")
    pauses: list[float] = []
    wait_for_server(server, Login("m", "p"), 60, pauses.append)
    assert server.accepted == 1
    assert pauses == [database_setup.RETRY_SECONDS] * 3


def test_a_wrong_password_is_not_tried_again() -> None:
    server: Any = Refusing('password authentication failed for user "m"')
    with pytest.raises(DatabaseError, match="authentication failed"):
        wait_for_server(server, Login("m", "p"), 60, lambda _: pytest.fail("waited"))


def test_waiting_ends() -> None:
    server: Any = Refusing(*["Connection refused"] * 9)
    with pytest.raises(DatabaseError, match="Connection refused"):
        wait_for_server(server, Login("m", "p"), 0, lambda _: pytest.fail("waited"))
