# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Create Airflow's users and databases in MySQL, with the rights of the RDS master user (who is no SUPER)."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pymysql

from sm2a_runtime.celery.result_tables import create_missing
from sm2a_runtime.database.connection import CONNECT_SECONDS, DatabaseError, mysql_tls, reason
from sm2a_runtime.database.setup import Database, Login, Relations, Rights, Server

ACCESS_DENIED = 1045
# Access denied (to the server, to a database), unknown database.
PERMANENT = (ACCESS_DENIED, 1044, 1049)
# Kind -> names of objects that run code of their creator when others use a table.
MADE = {
    "VIEW": "SELECT table_name FROM information_schema.views WHERE table_schema = %s",
    "TRIGGER": "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = %s",
    "EVENT": "SELECT event_name FROM information_schema.events WHERE event_schema = %s",
    "PROCEDURE": "SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s"
    " AND routine_type = 'PROCEDURE'",
    "FUNCTION": "SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s"
    " AND routine_type = 'FUNCTION'",
}
RELATIONS = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'"
# Event -> trigger, and which row it is about.
DAG_ACCESS = {"INSERT": ("sm2a_dag_access_insert", "NEW"), "DELETE": ("sm2a_dag_access_delete", "OLD")}
DAG_ACCESS_NOW = """
SELECT trigger_name, action_statement FROM information_schema.triggers
WHERE trigger_schema = %s AND event_object_table = 'ab_permission_view_role'
"""
# The name as hexadecimal digits: MySQL tells the statement without what escapes a quotation mark.
NOT_ABOUT_A_DAG = """
IF LEFT(USER(), CHAR_LENGTH(USER()) - LOCATE('@', REVERSE(USER()))) = CONVERT(0x{user} USING utf8mb4) AND NOT EXISTS (
    SELECT 1 FROM ab_permission_view p JOIN ab_view_menu m ON m.id = p.view_menu_id
    WHERE p.id = {row}.permission_view_id AND ({about_a_dag})
) THEN
    SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1142, MESSAGE_TEXT = 'command denied: only rights on DAGs may be given';
END IF
"""
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
        **mysql_tls("VERIFY_IDENTITY" if server.verify else "REQUIRED", server.ca_file),
    )


def is_temporary(error: Exception) -> bool:
    """Whether a refused connection may succeed later."""
    code = error.args[0] if error.args else None
    return code not in PERMANENT and "CERTIFICATE_VERIFY_FAILED" not in str(error)


def ensure_database(database: Database) -> bool:
    """Make the owner able to log in, with all rights on the database and no other. Returns whether anything changed."""
    try:
        with closing(connect(database.server, database.master)) as connection, connection.cursor() as cursor:
            changed = [
                _ensure_user(cursor, database.server, database.owner),
                _ensure_exists(cursor, database.name),
                _ensure_owner(cursor, database.owner.username, database.name),
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


def _ensure_owner(cursor: Any, user: str, database: str) -> bool:
    # In a grant `_` and `%` stand for any character unless they are escaped.
    place = f"{_name(database.replace('_', chr(92) + '_'))}.*"
    cursor.execute("SHOW GRANTS FOR %s@'%%'", (user,))
    if any(str(row[0]).startswith(f"GRANT ALL PRIVILEGES ON {place} ") for row in cursor.fetchall()):
        return False
    cursor.execute(f"GRANT ALL PRIVILEGES ON {place.replace('%', '%%')} TO %s@'%%'", (user,))
    print(f"database {database}: now belongs to {user}")
    return True


def take_over(database: Database, former: Login, rights: Rights) -> bool:
    """Drop what a former owner may have made beside plain tables. Tables have no owner in MySQL; rights come next."""
    dropped: list[str] = []
    try:
        with closing(connect(database.server, database.master)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM mysql.db WHERE user = %s AND host = '%%'", (former.username,))
            if cursor.fetchone() is None:
                return False
        ensure_database(database)
        with (
            closing(connect(database.server, database.owner, database.name)) as connection,
            connection.cursor() as cursor,
        ):
            for kind, query in MADE.items():
                cursor.execute(query, (database.name,))
                dropped += [f"{kind} {_name(str(name))}" for (name,) in cursor.fetchall()]
            for what in dropped:
                cursor.execute(f"DROP {what}")
    except pymysql.err.MySQLError as error:
        raise DatabaseError(reason(error)) from error
    if dropped:
        print(f"database {database.name}: dropped {', '.join(dropped)}")
    return bool(dropped)


def ensure_tables(database: Database, metadata: Any) -> bool:
    """Create the tables that are missing. Returns whether any was."""
    return create_missing(metadata, "mysql+pymysql", lambda: connect(database.server, database.owner, database.name))


def ensure_rights(database: Database, user: Login, rights: Rights) -> bool:
    """Make the user able to log in, with these rights and no other. Returns whether anything changed.

    MySQL has no sequences: what is said of them counts for nothing.
    """
    try:
        with closing(connect(database.server, database.master)) as connection, connection.cursor() as cursor:
            changed = _ensure_user(cursor, database.server, user)
            # In this order, so that users of the tables are not affected.
            granted = [
                _ensure_exact(cursor, user.username, database.name, rights),
                _revoke_databases(cursor, user.username),
            ]
    except pymysql.err.MySQLError as error:
        raise DatabaseError(reason(error)) from error
    if any(granted):
        print(f"database {database.name}: {user.username} has the rights that it needs")
    return changed or any(granted)


def _revoke_databases(cursor: Any, user: str) -> bool:
    """Rights on whole databases, which an owner has."""
    cursor.execute("SELECT db FROM mysql.db WHERE user = %s AND host = '%%'", (user,))
    databases = [str(row[0]) for row in cursor.fetchall()]
    for pattern in databases:
        cursor.execute(f"REVOKE ALL PRIVILEGES ON {_name(pattern).replace('%', '%%')}.* FROM %s@'%%'", (user,))
    return bool(databases)


def _ensure_exact(cursor: Any, user: str, database: str, rights: Rights) -> bool:
    cursor.execute("SELECT db, table_name, table_priv FROM mysql.tables_priv WHERE user = %s AND host = '%%'", (user,))
    found = {(str(db), str(table)): {name.upper() for name in str(names).split(",")} for db, table, names in cursor}
    wanted = {(database, table): set(names) for table, names in rights.items() if "USAGE" not in names}
    for place in sorted(found.keys() | wanted.keys()):
        target = ".".join(_name(part).replace("%", "%%") for part in place)
        for template, names in (
            ("GRANT {} ON {} TO %s@'%%'", wanted.get(place, set()) - found.get(place, set())),
            ("REVOKE {} ON {} FROM %s@'%%'", found.get(place, set()) - wanted.get(place, set())),
        ):
            if names:
                cursor.execute(template.format(", ".join(sorted(names)), target), (user,))
    return found != wanted


def relations(database: Database) -> Relations:
    """The tables of the database."""
    try:
        with (
            closing(connect(database.server, database.owner, database.name)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(RELATIONS, (database.name,))
            return Relations(tables=frozenset(str(name) for (name,) in cursor.fetchall()))
    except pymysql.err.MySQLError as error:
        raise DatabaseError(reason(error)) from error


def ensure_dag_access(database: Database, user: Login, prefixes: Sequence[str]) -> bool:
    """By triggers: MySQL has no policies on rows."""
    try:
        with (
            closing(connect(database.server, database.owner, database.name)) as connection,
            connection.cursor() as cursor,
        ):
            about_a_dag = " OR ".join(f"m.name LIKE BINARY {connection.escape(prefix + '%')}" for prefix in prefixes)
            bodies = {
                name: NOT_ABOUT_A_DAG.format(
                    user=user.username.encode().hex(), row=row, about_a_dag=about_a_dag
                ).strip()
                for name, row in DAG_ACCESS.values()
            }
            cursor.execute(DAG_ACCESS_NOW, (database.name,))
            if {str(name): str(body) for name, body in cursor.fetchall()} == bodies:
                return False
            for event, (name, _row) in DAG_ACCESS.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(
                    f"CREATE TRIGGER {name} BEFORE {event} ON ab_permission_view_role FOR EACH ROW {bodies[name]}"
                )
    except pymysql.err.MySQLError as error:
        raise DatabaseError(reason(error)) from error
    print(f"database {database.name}: {user.username} gives rights on DAGs only")
    return True


def _name(identifier: str) -> str:
    return "`" + identifier.replace("`", "``") + "`"
