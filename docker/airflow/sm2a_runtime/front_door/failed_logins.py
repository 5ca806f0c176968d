# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Failed logins, counted in the metadata database, so that a limit holds for all web servers together.

An attempt is counted as failed before the password is checked and taken back when it was right: attempts at the same
moment cannot pass a limit together.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sm2a_runtime.front_door.delays import FORGET_SECONDS, KNOWN_SECONDS, Count, Kind, Limits, subjects

TABLE = "sm2a_failed_login"
CREATE = f"""
    CREATE TABLE {TABLE} (
        subject CHAR(64) NOT NULL PRIMARY KEY,
        failures INTEGER NOT NULL,
        failed_at BIGINT NOT NULL,
        succeeded_at BIGINT NOT NULL
    )
"""
# In MySQL, a schema is what PostgreSQL calls a database.
EXISTS = {
    "postgresql": "SELECT to_regclass(%s)",
    "mysql": "SELECT max(table_name) FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name = %s",
}
# This way MySQL locks the row for writing; INSERT IGNORE would lock it for reading, and two attempts would deadlock.
KEEP = {
    "postgresql": "ON CONFLICT (subject) DO NOTHING",
    "mysql": f"ON DUPLICATE KEY UPDATE subject = {TABLE}.subject",
}
INSERT = f"INSERT INTO {TABLE} (subject, failures, failed_at, succeeded_at) VALUES (%s, 0, 0, 0)"  # noqa: S608
READ = f"SELECT failures, failed_at, succeeded_at FROM {TABLE} WHERE subject = %s FOR UPDATE"  # noqa: S608
# MySQL assigns from left to right: the old time decides.
COUNT = f"""
    UPDATE {TABLE} SET failures = CASE WHEN failed_at <= %s THEN 1 ELSE failures + 1 END, failed_at = %s
    WHERE subject IN (%s, %s, %s)
"""  # noqa: S608
TAKE_BACK = f"UPDATE {TABLE} SET failures = failures - 1 WHERE subject IN (%s, %s, %s) AND failures > 0"  # noqa: S608
KNOW = f"UPDATE {TABLE} SET failures = 0, succeeded_at = %s WHERE subject = %s"  # noqa: S608
PURGE = f"DELETE FROM {TABLE} WHERE failed_at < %s AND succeeded_at < %s"  # noqa: S608


@dataclass(frozen=True)
class FailedLogins:
    """``connect`` gives a DB-API connection of psycopg2 or mysqlclient; ``dialect`` is `postgresql` or `mysql`."""

    connect: Callable[[], Any]
    dialect: str
    limits: Limits

    def ensure_table(self) -> bool:
        """Create the table. Returns whether it was missing."""
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(EXISTS[self.dialect], (TABLE,))
            missing = cursor.fetchone()[0] is None
            if missing:
                cursor.execute(CREATE)
            connection.commit()
        return missing

    def attempt(self, username: str, address: str, now: int) -> int:
        """Count an attempt as failed; returns 0, or, without counting it, the seconds by which it comes too early."""
        keys = subjects(username, address)
        # Always in the same order, or two attempts would wait for each other.
        ordered = sorted(keys.items(), key=lambda item: item[1])
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            counts: dict[Kind, Count] = {}
            for kind, key in ordered:
                cursor.execute(f"{INSERT} {KEEP[self.dialect]}", (key,))
                cursor.execute(READ, (key,))
                counts[kind] = Count(*cursor.fetchone())
            wait = self.limits.wait(counts, now)
            if not wait:
                cursor.execute(COUNT, (now - FORGET_SECONDS, now, *(key for _kind, key in ordered)))
            connection.commit()
        return wait

    def take_back(self, username: str, address: str) -> None:
        """The attempt was not wrong after all, or could not be judged."""
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(TAKE_BACK, tuple(sorted(subjects(username, address).values())))
            connection.commit()

    def succeeded(self, username: str, address: str, now: int) -> None:
        """Take the attempt back, remember the address for this user, and forget what is old."""
        self.take_back(username, address)
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(KNOW, (now, subjects(username, address)["user and address"]))
            cursor.execute(PURGE, (now - FORGET_SECONDS, now - KNOWN_SECONDS))
            connection.commit()
