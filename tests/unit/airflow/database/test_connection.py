# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Connections by URI: TLS as the URI says, for drivers of both engines and for Airflow's asynchronous sessions."""

import asyncio
import ssl
import sys
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest
from sm2a_runtime.database import async_connections
from sm2a_runtime.database import connection as database

MYSQL = "mysql+mysqldb://air%40flow:p%2Fw@db.internal:3307/air%2Dflow"


def test_a_mysql_uri_becomes_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pymysql, "connect", lambda **parameters: parameters)
    assert database.connect(f"{MYSQL}?ssl_mode=VERIFY_IDENTITY&ssl_ca=/ca.pem") == {
        "host": "db.internal",
        "port": 3307,
        "user": "air@flow",
        "password": "p/w",
        "database": "air-flow",
        "ssl": {"ca": "/ca.pem", "check_hostname": True},
        "connect_timeout": database.CONNECT_SECONDS,
    }
    assert database.connect(f"{MYSQL}?ssl_mode=REQUIRED")["ssl"] == {"check_hostname": False}
    assert "ssl" not in database.mysql_parameters(urlsplit(MYSQL))


def test_an_error_of_mysql_reads_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**parameters: Any) -> Any:
        raise pymysql.err.OperationalError(1045, "Access denied for user 'air@flow'")

    monkeypatch.setattr(pymysql, "connect", refuse)
    with pytest.raises(database.DatabaseError, match=r"^Access denied for user 'air@flow' \(1045\)$"):
        database.heartbeat_age(MYSQL, "TriggererJob", "host")


def test_another_dialect_is_refused() -> None:
    with pytest.raises(database.DatabaseError, match="'sqlite' is not supported"):
        database.schema_revisions("sqlite:////tmp/airflow.db")


@pytest.mark.parametrize(
    ("driver", "options", "verified"),
    [
        ("asyncpg", {"database": "airflow", "sslmode": "require"}, False),
        ("aiomysql", {"db": "airflow", "ssl_mode": "REQUIRED"}, False),
        ("aiomysql", {"db": "airflow", "ssl_mode": "VERIFY_IDENTITY", "ssl": {"ca": None}}, True),
        ("asyncpg", {"database": "airflow", "sslmode": "verify-full", "sslrootcert": None}, True),
        ("asyncpg", {"database": "airflow"}, None),
        ("aiomysql", {"db": "airflow"}, None),
    ],
)
def test_asynchronous_sessions_get_a_context(
    monkeypatch: pytest.MonkeyPatch, driver: str, options: dict[str, Any], verified: bool | None
) -> None:
    async def connect(**given: Any) -> Any:
        return given

    module = ModuleType(driver)
    vars(module)["connect"] = connect
    monkeypatch.setitem(sys.modules, driver, module)
    creator = async_connections.connect
    given = asyncio.run(creator(host="db.internal", **options))
    context = given.pop("ssl", None)
    assert given == {"host": "db.internal", **{k: v for k, v in options.items() if k in ("db", "database")}}
    if verified is None:
        assert context is None
    else:
        assert context.verify_mode == (ssl.CERT_REQUIRED if verified else ssl.CERT_NONE)
        assert context.check_hostname is verified
