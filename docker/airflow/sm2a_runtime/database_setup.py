# Copyright: SM2A contributors
# Apache License 2.0
"""Create Airflow's database user and database, with the rights of the RDS master user (who is no superuser)."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from sm2a_runtime.database import DatabaseError

MAINTENANCE_DATABASE = "postgres"
RETRY_SECONDS = 3.0


@dataclass(frozen=True)
class Login:
    """A database user. The password stays out of the representation."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Server:
    """Where the database server listens."""

    address: str
    port: int

    def connect(self, login: Login, database: str) -> Any:
        """A connection in autocommit mode: CREATE DATABASE allows no transaction."""
        connection = psycopg2.connect(
            host=self.address,
            port=self.port,
            user=login.username,
            password=login.password,
            dbname=database,
            connect_timeout=5,
        )
        connection.autocommit = True
        return connection


def wait_for_server(
    server: Server, login: Login, wait_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return when the server accepts this login; while it is still starting, try again and again."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            server.connect(login, MAINTENANCE_DATABASE).close()
        except psycopg2.OperationalError as error:
            reason = str(error).strip()
            if not is_temporary(reason) or time.monotonic() >= deadline:
                raise DatabaseError(reason) from error
            print(f"database not ready yet: {reason}")
            sleep(RETRY_SECONDS)
        else:
            return


def is_temporary(reason: str) -> bool:
    """Whether a refused connection may succeed later. libpq gives no code before a session exists, only words."""
    return "authentication failed" not in reason and "does not exist" not in reason


def ensure_database(server: Server, master: Login, owner: Login, database: str) -> bool:
    """Make the owner able to log in, and the database his and closed to others. Returns whether anything changed."""
    try:
        with closing(server.connect(master, MAINTENANCE_DATABASE)) as connection, connection.cursor() as cursor:
            changed = [
                _ensure_user(cursor, server, owner),
                _ensure_owned_database(cursor, owner.username, database),
            ]
    except psycopg2.Error as error:
        raise DatabaseError(str(error).strip()) from error
    return any(changed)


def _ensure_user(cursor: Any, server: Server, user: Login) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user.username,))
    exists = cursor.fetchone() is not None
    if exists and _can_log_in(server, user):
        return False
    # The server gets and logs a SCRAM verifier, never the password.
    verifier = encrypt_password(user.password, user.username, cursor.connection, "scram-sha-256")
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if exists else "CREATE ROLE {} LOGIN PASSWORD {}"
    cursor.execute(sql.SQL(statement).format(sql.Identifier(user.username), sql.Literal(verifier)))
    print(f"database user {user.username}: {'password updated' if exists else 'created'}")
    return True


def _can_log_in(server: Server, user: Login) -> bool:
    try:
        server.connect(user, MAINTENANCE_DATABASE).close()
    except psycopg2.OperationalError as error:
        if "authentication failed" in str(error) or "not permitted to log in" in str(error):
            return False
        raise
    return True


def _ensure_owned_database(cursor: Any, owner: str, database: str) -> bool:
    cursor.execute(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s",
        (database,),
    )
    row = cursor.fetchone()
    if row is not None and row[0] == owner:
        return False
    # Only who may act as a role may give it something. From PostgreSQL 16 on, having created it is not enough.
    cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))
    statement = "CREATE DATABASE {} OWNER {}" if row is None else "ALTER DATABASE {} OWNER TO {}"
    cursor.execute(sql.SQL(statement).format(sql.Identifier(database), sql.Identifier(owner)))
    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    print(f"database {database}: {'created for' if row is None else 'now belongs to'} {owner}")
    return True
