# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads Airflow's database URI from Secrets Manager at run time; it is kept in memory only and never logged."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

POSTGRES, MYSQL = "postgresql", "mysql"
PORTS = {POSTGRES: 5432, MYSQL: 3306}


class CredentialsError(Exception):
    """The secret could not be read or is not a PostgreSQL or MySQL URI. The message never contains its value."""


class DatabaseSecret:
    """The connection parameters from one secret, cached until ``refresh`` is called."""

    def __init__(self, client: Any, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._dialect = ""
        self._parameters: dict[str, Any] | None = None

    def dialect(self) -> str:
        """POSTGRES or MYSQL; raises CredentialsError."""
        self.parameters()
        return self._dialect

    def parameters(self) -> dict[str, Any]:
        """Parameters for libpq or PyMySQL, from the cache after the first read; raises CredentialsError."""
        if self._parameters is None:
            self.refresh()
        return dict(self._parameters or {})

    def refresh(self) -> bool:
        """Read the secret again; True when it has changed since the last read (rotation)."""
        try:
            reply = self._client.get_secret_value(SecretId=self._secret_id)
        except (ClientError, BotoCoreError) as error:
            raise CredentialsError(f"secret {self._secret_id} could not be read: {error}") from error
        try:
            dialect, parameters = connection_parameters(reply.get("SecretString", ""))
        except ValueError as error:
            # Without the cause, which could quote the value.
            raise CredentialsError(f"secret {self._secret_id} {error}") from None
        changed = parameters != self._parameters
        self._dialect, self._parameters = dialect, parameters
        return changed


def connection_parameters(uri: str) -> tuple[str, dict[str, Any]]:
    """Dialect and driver parameters of an SQLAlchemy URI.

    For example ``postgresql+psycopg2://user:p%40ss@host:5432/airflow?sslmode=require`` (libpq), or
    ``mysql+mysqldb://user:p%40ss@host:3306/airflow?ssl_mode=REQUIRED`` (PyMySQL).
    Raises ValueError whose message contains no part of the value.
    """
    try:
        parts = urlsplit(uri.strip())
        port = parts.port
    except ValueError:
        raise ValueError("is not a URI") from None
    dialect = {"postgres": POSTGRES}.get(parts.scheme.partition("+")[0], parts.scheme.partition("+")[0])
    if dialect not in PORTS:
        raise ValueError(
            "is not a PostgreSQL or MySQL URI such as postgresql+psycopg2://user:password@host:port/database"
        )
    database = unquote(parts.path.removeprefix("/"))
    if not parts.hostname or not parts.username or not database:
        raise ValueError("lacks a host, a user or a database name")
    common = {"host": parts.hostname, "user": unquote(parts.username)}
    if parts.password is not None:
        common["password"] = unquote(parts.password)
    port = port or PORTS[dialect]
    if dialect == MYSQL:
        return dialect, {**common, "port": port, "database": database, **_mysql_tls(parts)}
    return dialect, {**common, "port": str(port), "dbname": database, **dict(parse_qsl(parts.query))}


def _mysql_tls(parts: SplitResult) -> dict[str, Any]:
    """PyMySQL's equivalent of mysqlclient's TLS options ``ssl_mode`` and ``ssl_ca``, which Airflow uses."""
    query = dict(parse_qsl(parts.query))
    if query.get("ssl_mode") == "VERIFY_IDENTITY":
        return {"ssl": {"ca": query.get("ssl_ca"), "check_hostname": True}}
    return {"ssl": {"check_hostname": False}} if query.get("ssl_mode") else {}
