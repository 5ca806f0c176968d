# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The database URI of Airflow: read from Secrets Manager at run time, kept in memory only, never printed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError


class CredentialsError(Exception):
    """The secret could not be read or is no PostgreSQL URI. The message never contains its value."""


class DatabaseSecret:
    """The connection parameters in one secret, cached until ``refresh`` is called."""

    def __init__(self, client: Any, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._parameters: dict[str, str] | None = None

    def parameters(self) -> dict[str, str]:
        """libpq parameters, from memory when the secret was read before; raises CredentialsError."""
        if self._parameters is None:
            self.refresh()
        return dict(self._parameters or {})

    def refresh(self) -> bool:
        """Read the secret again; True when it differs from the one in memory (a rotation)."""
        try:
            reply = self._client.get_secret_value(SecretId=self._secret_id)
        except (ClientError, BotoCoreError) as error:
            raise CredentialsError(f"secret {self._secret_id} could not be read: {error}") from error
        try:
            parameters = connection_parameters(reply.get("SecretString", ""))
        except ValueError as error:
            # The cause is dropped: it might quote the value.
            raise CredentialsError(f"secret {self._secret_id} {error}") from None
        changed = parameters != self._parameters
        self._parameters = parameters
        return changed


def connection_parameters(uri: str) -> dict[str, str]:
    """libpq parameters of an SQLAlchemy URI such as ``postgresql+psycopg2://user:p%40ss@host:5432/airflow?sslmode=require``.

    Raises ValueError without any part of the value.
    """
    try:
        parts = urlsplit(uri.strip())
        port = parts.port
    except ValueError:
        raise ValueError("is not a URI") from None
    dialect = parts.scheme.partition("+")[0]
    if dialect not in ("postgresql", "postgres"):
        raise ValueError("is not a PostgreSQL URI (postgresql+psycopg2://user:password@host:port/database)")
    database = unquote(parts.path.removeprefix("/"))
    if not parts.hostname or not parts.username or not database:
        raise ValueError("lacks a host, a user or a database name")
    parameters = {
        "host": parts.hostname,
        "port": str(port or 5432),
        "user": unquote(parts.username),
        "dbname": database,
        **dict(parse_qsl(parts.query)),
    }
    if parts.password is not None:
        parameters["password"] = unquote(parts.password)
    return parameters
