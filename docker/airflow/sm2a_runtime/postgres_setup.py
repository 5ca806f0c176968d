# Copyright: SM2A contributors
# Apache License 2.0
"""Create Airflow's users and databases in PostgreSQL, with the rights of the RDS master user (who is no superuser)."""

from contextlib import closing
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from sm2a_runtime.database import CONNECT_SECONDS, DatabaseError, reason
from sm2a_runtime.database_setup import CA_BUNDLE, Login, Server

MAINTENANCE_DATABASE = "postgres"


def connect(server: Server, login: Login, database: str | None = None) -> Any:
    """A connection in autocommit mode: CREATE DATABASE allows no transaction."""
    connection = psycopg2.connect(
        host=server.address,
        port=server.port,
        user=login.username,
        password=login.password,
        dbname=database or MAINTENANCE_DATABASE,
        connect_timeout=CONNECT_SECONDS,
        **({"sslmode": "verify-full", "sslrootcert": CA_BUNDLE} if server.verify else {"sslmode": "require"}),
    )
    connection.autocommit = True
    return connection


def is_temporary(error: Exception) -> bool:
    """Whether a refused connection may succeed later. libpq gives no code before a session exists, only words."""
    permanent = ("authentication failed", "does not exist", "certificate verify failed", "root certificate file")
    return not any(words in str(error) for words in permanent)


def ensure_database(server: Server, master: Login, owner: Login, database: str) -> bool:
    """Make the owner able to log in, and the database his and closed to others. Returns whether anything changed."""
    try:
        with closing(connect(server, master)) as connection, connection.cursor() as cursor:
            changed = [
                _ensure_user(cursor, server, owner),
                _ensure_owned_database(cursor, owner.username, database),
            ]
    except psycopg2.Error as error:
        raise DatabaseError(reason(error)) from error
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
        connect(server, user).close()
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
