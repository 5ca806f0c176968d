# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Connect to the metadata database without SQLAlchemy, from the same URI that Airflow uses."""

from contextlib import closing
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit, urlunsplit

import psycopg2
import pymysql

CONNECT_SECONDS = 5
ERRORS = (psycopg2.Error, pymysql.err.MySQLError)
JOB_HEARTBEAT = """
    SELECT max(latest_heartbeat), CURRENT_TIMESTAMP FROM job
    WHERE job_type = %s AND hostname = %s AND state = 'running'
"""
# MySQL calls schema what PostgreSQL calls database, and shows all of them.
VERSION_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE %s"
VERSION_TABLES_OF_MYSQL = f"{VERSION_TABLES} AND table_schema = DATABASE()"


class DatabaseError(Exception):
    """The database cannot be reached or refused. The message holds no password."""


def dialect_of(uri: str) -> str:
    """`postgresql` or `mysql`; DatabaseError for any other."""
    dialect = urlsplit(uri).scheme.partition("+")[0]
    if dialect in ("postgres", "postgresql"):
        return "postgresql"
    if dialect == "mysql":
        return dialect
    raise DatabaseError(f"database dialect {dialect!r} is not supported")


def connect(uri: str) -> Any:
    """A DB-API connection for an SQLAlchemy URI such as `postgresql+psycopg2://user:password@host/name`."""
    dialect, parts = dialect_of(uri), urlsplit(uri)
    try:
        if dialect == "mysql":
            return pymysql.connect(**mysql_parameters(parts), connect_timeout=CONNECT_SECONDS)
        return psycopg2.connect(urlunsplit(parts._replace(scheme="postgresql")), connect_timeout=CONNECT_SECONDS)
    except ERRORS as error:
        raise DatabaseError(reason(error)) from error


def mysql_parameters(parts: SplitResult) -> dict[str, Any]:
    """PyMySQL's parameters for a URI of mysqlclient, whose TLS options are `ssl_mode` and `ssl_ca`."""
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "host": parts.hostname,
        "port": parts.port or 3306,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.removeprefix("/")),
        **mysql_tls(query.get("ssl_mode"), query.get("ssl_ca")),
    }


def mysql_tls(mode: str | None, ca: str | None) -> dict[str, Any]:
    """PyMySQL's parameter `ssl` for MySQL's mode, such as REQUIRED or VERIFY_IDENTITY; nothing without a mode."""
    if mode == "VERIFY_IDENTITY":
        return {"ssl": {"ca": ca, "check_hostname": True}}
    return {"ssl": {"check_hostname": False}} if mode else {}


def reason(error: Exception) -> str:
    """What the server or the driver said, without the driver's decoration."""
    if isinstance(error, pymysql.err.MySQLError) and len(error.args) == 2:
        return f"{error.args[1]} ({error.args[0]})"
    return str(error).strip()


def heartbeat_age(uri: str, job_type: str, hostname: str) -> float | None:
    """Seconds since the last heartbeat of the running job of this type on this host; None when there is no such job."""
    try:
        with closing(connect(uri)) as connection, connection.cursor() as cursor:
            cursor.execute(JOB_HEARTBEAT, (job_type, hostname))
            heartbeat, now = cursor.fetchone()
    except ERRORS as error:
        raise DatabaseError(reason(error)) from error
    return None if heartbeat is None else float((now - heartbeat).total_seconds())


def schema_revisions(uri: str) -> dict[str, str]:
    """The applied revision by version table (Airflow's, and that of its sign-in); empty for an empty database."""
    query = VERSION_TABLES_OF_MYSQL if dialect_of(uri) == "mysql" else VERSION_TABLES
    try:
        with closing(connect(uri)) as connection, connection.cursor() as cursor:
            cursor.execute(query, ("alembic_version%",))
            tables = [str(row[0]) for row in cursor.fetchall()]
            revisions: dict[str, str] = {}
            for table in sorted(tables):
                cursor.execute(f"SELECT version_num FROM {table}")  # noqa: S608 (a name from the catalogue)
                if row := cursor.fetchone():
                    revisions[table] = str(row[0])
            return revisions
    except ERRORS as error:
        raise DatabaseError(reason(error)) from error
