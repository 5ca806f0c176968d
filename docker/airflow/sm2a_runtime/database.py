# Copyright: SM2A contributors
# Apache License 2.0
"""Connect to the metadata database without SQLAlchemy, from the same URI that Airflow uses."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2

JOB_HEARTBEAT = """
    SELECT max(latest_heartbeat), CURRENT_TIMESTAMP FROM job
    WHERE job_type = %s AND hostname = %s AND state = 'running'
"""


class DatabaseError(Exception):
    """The database cannot be reached or refused. The message holds no password."""


def connect(uri: str) -> Any:
    """A DB-API connection for an SQLAlchemy URI such as `postgresql+psycopg2://user:password@host/name`."""
    parts = urlsplit(uri)
    dialect = parts.scheme.partition("+")[0]
    if dialect not in ("postgres", "postgresql"):
        raise DatabaseError(f"database dialect {dialect!r} is not supported")
    try:
        return psycopg2.connect(urlunsplit(parts._replace(scheme="postgresql")), connect_timeout=5)
    except psycopg2.Error as error:
        raise DatabaseError(str(error).strip()) from error


def heartbeat_age(uri: str, job_type: str, hostname: str) -> float | None:
    """Seconds since the last heartbeat of the running job of this type on this host; None when there is no such job."""
    connection = connect(uri)
    try:
        with connection.cursor() as cursor:
            cursor.execute(JOB_HEARTBEAT, (job_type, hostname))
            heartbeat, now = cursor.fetchone()
    except psycopg2.Error as error:
        raise DatabaseError(str(error).strip()) from error
    finally:
        connection.close()
    return None if heartbeat is None else float((now - heartbeat).total_seconds())


def schema_revisions(uri: str) -> dict[str, str]:
    """The applied revision by version table (Airflow's, and that of its sign-in); empty for an empty database."""
    connection = connect(uri)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'alembic_version%'")
            tables = [str(row[0]) for row in cursor.fetchall()]
            revisions: dict[str, str] = {}
            for table in sorted(tables):
                cursor.execute(f"SELECT version_num FROM {table}")  # noqa: S608 (a name from the catalogue)
                if row := cursor.fetchone():
                    revisions[table] = str(row[0])
            return revisions
    except psycopg2.Error as error:
        raise DatabaseError(str(error).strip()) from error
    finally:
        connection.close()
