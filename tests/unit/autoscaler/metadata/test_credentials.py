# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The database URI: parsed as SQLAlchemy does, re-read on demand, and never part of an error."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sm2a_autoscaler.metadata.credentials import CredentialsError, DatabaseSecret, connection_parameters


def test_an_sqlalchemy_uri_becomes_libpq_parameters() -> None:
    uri = "postgresql+psycopg2://air%40flow:p%40ss%2Fw%3Ard%20%25@db.example:5433/air%20flow?sslmode=require&gssencmode=disable"
    assert connection_parameters(uri) == (
        "postgresql",
        {
            "host": "db.example",
            "port": "5433",
            "user": "air@flow",
            "password": "p@ss/w:rd %",
            "dbname": "air flow",
            "sslmode": "require",
            "gssencmode": "disable",
        },
    )


@pytest.mark.parametrize(
    ("query", "tls"),
    [
        ("", {}),
        ("?ssl_mode=REQUIRED", {"ssl": {"check_hostname": False}}),
        ("?ssl_mode=VERIFY_IDENTITY&ssl_ca=/ca.pem", {"ssl": {"ca": "/ca.pem", "check_hostname": True}}),
    ],
)
def test_a_mysql_uri_becomes_parameters_of_its_driver(query: str, tls: dict[str, Any]) -> None:
    dialect, parameters = connection_parameters(f"mysql+mysqldb://air%40flow:p%2Fw@db.example/airflow{query}")
    assert dialect == "mysql"
    assert parameters == {
        "host": "db.example",
        "port": 3306,
        "user": "air@flow",
        "password": "p/w",
        "database": "airflow",
        **tls,
    }


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+asyncpg"])
def test_every_postgresql_dialect_is_read_and_the_port_defaults(scheme: str) -> None:
    assert connection_parameters(f"{scheme}://a:b@h/airflow\n")[1]["port"] == "5432"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "is not a PostgreSQL or MySQL URI"),
        ('{"username":"a","password":"SECRET"}', "is not a PostgreSQL or MySQL URI"),
        ("oracle+oracledb://a:SECRET@h/airflow", "is not a PostgreSQL or MySQL URI"),
        ("postgresql://a:SECRET@h:port/airflow", "is not a URI"),
        ("postgresql://a:SECRET@h", "lacks a host, a user or a database name"),
        ("postgresql://:SECRET@h/airflow", "lacks a host, a user or a database name"),
    ],
)
def test_a_faulty_uri_is_explained_without_its_value(uri: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        connection_parameters(uri)
    assert "SECRET" not in str(raised.value)


def test_the_secret_is_read_once_and_again_on_refresh(secrets_manager: Any) -> None:
    name = f"test/{uuid.uuid4()}"
    secrets_manager.create_secret(Name=name, SecretString="postgresql://airflow:one@h/airflow")
    secret = DatabaseSecret(secrets_manager, name)
    assert secret.parameters()["password"] == "one"
    secrets_manager.put_secret_value(SecretId=name, SecretString="postgresql://airflow:two@h/airflow")
    assert secret.parameters()["password"] == "one"
    assert secret.refresh()
    assert secret.parameters()["password"] == "two"
    assert not secret.refresh()


def test_a_missing_secret_is_named(secrets_manager: Any) -> None:
    with pytest.raises(CredentialsError, match=r"secret nowhere/uri could not be read: .*ResourceNotFound"):
        DatabaseSecret(secrets_manager, "nowhere/uri").parameters()


def test_a_faulty_secret_is_named_without_its_value(secrets_manager: Any) -> None:
    name = f"test/{uuid.uuid4()}"
    secrets_manager.create_secret(Name=name, SecretString="oracle://airflow:SECRET@h/airflow")
    with pytest.raises(CredentialsError, match=f"secret {name} is not a PostgreSQL or MySQL URI") as raised:
        DatabaseSecret(secrets_manager, name).parameters()
    assert "SECRET" not in str(raised.value)
    assert raised.value.__cause__ is None
