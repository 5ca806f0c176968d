# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The migration: order of steps, what it reports, and how it fails."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psycopg2
import pymysql
import pytest
import sm2a_runtime
from sm2a_runtime import migrate
from sm2a_runtime.celery.result_tables import Base
from sm2a_runtime.database import mysql_setup, postgres_setup
from sm2a_runtime.database import setup as database_setup
from sm2a_runtime.database import users as database_users
from sm2a_runtime.database.connection import DatabaseError
from sm2a_runtime.database.setup import Database, Login, Relations, Server, wait_for_server
from sm2a_runtime.secret_store import SecretError

ENVIRONMENT = {
    "SM2A_DATABASE_ENGINE": "postgres",
    "SM2A_DATABASE_ADDRESS": "db.internal",
    "SM2A_DATABASE_PORT": "5432",
    "SM2A_DATABASE_NAME": "airflow",
    "SM2A_DATABASE_MASTER_SECRET": "arn:master",
    "SM2A_DATABASE_USER_SECRET": "demo/database/airflow",
    "SM2A_RESULT_DATABASE_NAME": "airflow_results",
    "SM2A_RESULT_USER_SECRET": "demo/database/results",
    "SM2A_RESULT_READER_SECRET": "demo/database/results_reader",
    "SM2A_AUTOSCALER_USER_SECRET": "demo/database/airflow_autoscaler",
    "SM2A_DAG_PROCESSOR_USER_SECRET": "demo/database/airflow_dag_processor",
    "SM2A_TRIGGERER_USER_SECRET": "demo/database/airflow_triggerer",
    "SM2A_ADMIN_SECRET": "demo/admin",
}

ENGINE = ("ensure_database", "take_over", "ensure_tables", "ensure_rights", "ensure_dag_access")
RELATIONS = Relations(frozenset({"job", "session"}), frozenset({"job_id_seq"}))
PREFIXES = ["DAG:", "DAG Run:"]


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

    airflow_setup = ModuleType("sm2a_runtime.database.airflow_setup")
    vars(airflow_setup).update(
        migrate_tables=recorder("tables"),
        dag_prefixes=lambda: PREFIXES,
        ensure_administrator=recorder("administrator"),
        Administrator=lambda **values: values,
    )
    monkeypatch.setitem(sys.modules, "sm2a_runtime.database.airflow_setup", airflow_setup)
    monkeypatch.setattr(migrate, "read_json_secret", read_json_secret)
    monkeypatch.setattr(migrate, "wait_for_server", recorder("wait"))
    engine = SimpleNamespace(relations=lambda database: RELATIONS, **{name: recorder(name) for name in ENGINE})
    monkeypatch.setitem(migrate.ENGINES, "postgres", engine)
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
    server, master, owner = Server("db.internal", 5432), login("arn:master"), login("demo/database/airflow")
    workers, scheduler = login("demo/database/results"), login("demo/database/results_reader")
    autoscaler, triggerer, dag_processor = (
        login(f"demo/database/airflow_{name}") for name in ("autoscaler", "triggerer", "dag_processor")
    )
    rights = {"job": database_users.CHANGE, "job_id_seq": database_users.COUNT_ROWS}
    metadata, results = (Database(server, master, owner, name) for name in ("airflow", "airflow_results"))
    assert steps == [
        ("wait", migrate.ENGINES["postgres"], server, master, 180.0),
        ("ensure_database", metadata),
        ("take_over", results, workers, database_users.WORKERS),
        ("ensure_database", results),
        ("ensure_tables", results, Base.metadata),
        ("ensure_rights", results, workers, database_users.WORKERS),
        ("ensure_rights", results, scheduler, database_users.SCHEDULER),
        ("tables",),
        ("ensure_rights", metadata, autoscaler, database_users.AUTOSCALER),
        ("ensure_rights", metadata, triggerer, rights),
        ("ensure_rights", metadata, dag_processor, rights),
        ("ensure_dag_access", metadata, dag_processor, PREFIXES),
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


def test_the_autoscaler_may_read_the_tables_of_its_queries() -> None:
    package = Path(sm2a_runtime.__file__).parents[2] / "autoscaler/sm2a_autoscaler"
    code = " ".join(file.read_text(encoding="utf-8") for file in package.rglob("*.py"))
    tables = set(re.findall(r"(?:FROM|JOIN) ([a-z_]+)", code)) - {"now"}
    assert set(database_users.AUTOSCALER) == tables


@pytest.mark.parametrize("step", [*ENGINE, "migrate_tables", "ensure_administrator"])
def test_any_changed_step_is_reported(
    steps: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    setup: Any = sys.modules["sm2a_runtime.database.airflow_setup"]
    module = migrate.ENGINES["postgres"] if step in ENGINE else setup
    monkeypatch.setattr(module, step, lambda *arguments: True)
    assert migrate.main() == 0
    assert capsys.readouterr().out == "migration: changed\n"


@pytest.mark.parametrize("name", ENVIRONMENT)
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

    monkeypatch.setattr(sys.modules["sm2a_runtime.database.airflow_setup"], "migrate_tables", fail)
    assert migrate.main() == 1
    written = capsys.readouterr().err
    assert written == f"migration failed: {type(error).__name__}: {' '.join(str(error).split())}\n"
    assert all(step[0] != "administrator" for step in steps)


def test_a_login_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(Login("airflow", "hunter2"))


def test_certificates_are_verified_unless_the_setting_says_no(
    steps: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM2A_DATABASE_TLS_VERIFICATION", "False")
    assert migrate.main() == 0
    assert [step[2].verify for step in steps if step[0] == "wait"] == [False]


def test_authorities_are_those_of_rds_unless_a_file_has_others(
    steps: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert migrate.main() == 0
    monkeypatch.setenv("SM2A_DATABASE_CA_FILE", "/own.pem")
    assert migrate.main() == 0
    servers = [step[2] for step in steps if step[0] == "wait"]
    assert [server.ca_file for server in servers] == [database_setup.CA_BUNDLE, "/own.pem"]


def test_an_unknown_engine_is_refused(
    steps: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SM2A_DATABASE_ENGINE", "oracle")
    assert migrate.main() == 1
    assert "SM2A_DATABASE_ENGINE is 'oracle', not one of postgres, mysql" in capsys.readouterr().err


SERVER = Server("db.internal", 5433)
REFUSALS = [
    (postgres_setup, "psycopg2", psycopg2.OperationalError, "Connection refused", True),
    (postgres_setup, "psycopg2", psycopg2.OperationalError, "the database system is starting up", True),
    (postgres_setup, "psycopg2", psycopg2.OperationalError, "could not translate host name", True),
    (postgres_setup, "psycopg2", psycopg2.OperationalError, 'password authentication failed for user "m"', False),
    (postgres_setup, "psycopg2", psycopg2.OperationalError, "SSL error: certificate verify failed", False),
    (mysql_setup, "pymysql", pymysql.err.OperationalError, (2003, "Can't connect to MySQL server"), True),
    (mysql_setup, "pymysql", pymysql.err.OperationalError, (1045, "Access denied for user 'm'"), False),
    (mysql_setup, "pymysql", pymysql.err.OperationalError, (2003, "[SSL: CERTIFICATE_VERIFY_FAILED]"), False),
]


@pytest.mark.parametrize(("engine", "driver", "error", "said", "temporary"), REFUSALS)
def test_only_a_starting_server_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, *, engine: Any, driver: str, error: Any, said: Any, temporary: bool
) -> None:
    refusals = [error(*said) if isinstance(said, tuple) else error(said)] * 2
    pauses: list[float] = []

    def connect(**parameters: Any) -> Any:
        assert (parameters["host"], parameters["port"], parameters["password"]) == ("db.internal", 5433, "p")
        if refusals:
            raise refusals.pop()
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(vars(engine)[driver], "connect", connect)
    if temporary:
        wait_for_server(engine, SERVER, Login("m", "p"), 60, pauses.append)
        assert pauses == [database_setup.RETRY_SECONDS] * 2
    else:
        with pytest.raises(DatabaseError):
            wait_for_server(engine, SERVER, Login("m", "p"), 60, lambda _: pytest.fail("waited"))


@pytest.mark.parametrize("engine", [postgres_setup, mysql_setup])
def test_waiting_ends(monkeypatch: pytest.MonkeyPatch, engine: Any) -> None:
    error: Any = {postgres_setup: psycopg2.OperationalError("Connection refused")}.get(
        engine, pymysql.err.OperationalError(2003, "Connection refused")
    )

    def connect(*arguments: Any) -> Any:
        raise error

    monkeypatch.setattr(engine, "connect", connect)
    with pytest.raises(DatabaseError, match="Connection refused"):
        wait_for_server(engine, SERVER, Login("m", "p"), 0, lambda _: pytest.fail("waited"))


@pytest.mark.parametrize(
    ("engine", "driver", "verify", "tls"),
    [
        (postgres_setup, "psycopg2", True, {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}),
        (postgres_setup, "psycopg2", False, {"sslmode": "require"}),
        (mysql_setup, "pymysql", True, {"ssl": {"ca": "/ca.pem", "check_hostname": True}}),
        (mysql_setup, "pymysql", False, {"ssl": {"check_hostname": False}}),
    ],
)
def test_the_master_password_is_never_sent_in_the_clear(
    monkeypatch: pytest.MonkeyPatch, engine: Any, driver: str, verify: bool, tls: dict[str, Any]
) -> None:
    monkeypatch.setattr(vars(engine)[driver], "connect", SimpleNamespace)
    made = engine.connect(Server("db.internal", 5433, verify, "/ca.pem"), Login("m", "p"))
    assert {name: value for name, value in vars(made).items() if name.startswith("ssl")} == tls
