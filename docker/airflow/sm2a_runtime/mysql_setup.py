# Copyright: SM2A contributors
# Apache License 2.0
"""Create Airflow's users and databases in MySQL, with the rights of the RDS master user (who is no SUPER)."""

from contextlib import closing
from typing import Any

import pymysql

from sm2a_runtime.database import CONNECT_SECONDS, DatabaseError, mysql_tls, reason
from sm2a_runtime.database_setup import CA_BUNDLE, Login, Server

ACCESS_DENIED = 1045
# Access denied (to the server, to a database), unknown database.
PERMANENT = (ACCESS_DENIED, 1044, 1049)
CHARACTERS = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"


def connect(server: Server, login: Login, database: str | None = None) -> Any:
    """A connection in autocommit mode."""
    return pymysql.connect(
        host=server.address,
        port=server.port,
        user=login.username,
        password=login.password,
        database=database,
        connect_timeout=CONNECT_SECONDS,
        autocommit=True,
        **mysql_tls("VERIFY_IDENTITY" if server.verify else "REQUIRED", CA_BUNDLE),
    )


def is_temporary(error: Exception) -> bool:
    """Whether a refused connection may succeed later."""
    code = error.args[0] if error.args else None
    return code not in PERMANENT and "CERTIFICATE_VERIFY_FAILED" not in str(error)


def ensure_database(server: Server, master: Login, owner: Login, database: str) -> bool:
    """Make the owner able to log in, with all rights on the database and no other. Returns whether anything changed."""
    try:
        with closing(connect(server, master)) as connection, connection.cursor() as cursor:
            changed = [
                _ensure_user(cursor, server, owner),
                _ensure_exists(cursor, database),
                _ensure_rights(cursor, owner.username, database),
            ]
    except pymysql.err.MySQLError as error:
        raise DatabaseError(reason(error)) from error
    return any(changed)


def _ensure_user(cursor: Any, server: Server, user: Login) -> bool:
    cursor.execute("SELECT 1 FROM mysql.user WHERE user = %s AND host = '%%'", (user.username,))
    exists = cursor.fetchone() is not None
    if exists and _can_log_in(server, user):
        return False
    # The server writes no password to its logs, and the session is encrypted.
    verb = "ALTER" if exists else "CREATE"
    cursor.execute(f"{verb} USER %s@'%%' IDENTIFIED BY %s REQUIRE SSL", (user.username, user.password))
    print(f"database user {user.username}: {'password updated' if exists else 'created'}")
    return True


def _can_log_in(server: Server, user: Login) -> bool:
    try:
        connect(server, user).close()
    except pymysql.err.OperationalError as error:
        if error.args[0] == ACCESS_DENIED:
            return False
        raise
    return True


def _ensure_exists(cursor: Any, database: str) -> bool:
    cursor.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (database,))
    if cursor.fetchone() is not None:
        return False
    cursor.execute(f"CREATE DATABASE {_name(database)} {CHARACTERS}")
    print(f"database {database}: created")
    return True


def _ensure_rights(cursor: Any, user: str, database: str) -> bool:
    # In a grant `_` and `%` stand for any character unless they are escaped.
    place = f"{_name(database.replace('_', chr(92) + '_'))}.*"
    cursor.execute("SHOW GRANTS FOR %s@'%%'", (user,))
    if any(str(row[0]).startswith(f"GRANT ALL PRIVILEGES ON {place} ") for row in cursor.fetchall()):
        return False
    cursor.execute(f"GRANT ALL PRIVILEGES ON {place.replace('%', '%%')} TO %s@'%%'", (user,))
    print(f"database {database}: now belongs to {user}")
    return True


def _name(identifier: str) -> str:
    return "`" + identifier.replace("`", "``") + "`"
