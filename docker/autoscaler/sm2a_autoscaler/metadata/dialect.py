# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""SQL that differs between PostgreSQL and MySQL. All times use the server's clock only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """SQL of one engine. ``_elapsed`` is a template of an expression, ``_timeout`` one of a statement."""

    lock: str
    _elapsed: str
    _timeout: str

    def seconds_since(self, column: str) -> str:
        """Expression for the seconds since the value of a column or aggregate, negative for the future."""
        return self._elapsed.format(column)

    def statement_timeout(self, seconds: float) -> str:
        """Statement that sets the timeout of every later statement of the session."""
        return self._timeout.format(round(seconds * 1000))


POSTGRES = Dialect(
    lock="SELECT pg_try_advisory_lock(%s)",
    _elapsed="EXTRACT(EPOCH FROM now() - {})",
    _timeout="SET statement_timeout = {}",
)
MYSQL = Dialect(
    lock="SELECT GET_LOCK(CONCAT('sm2a_autoscaler:', %s), 0)",
    _elapsed="TIMESTAMPDIFF(MICROSECOND, {}, now(6)) / 1000000",
    _timeout="SET SESSION max_execution_time = {}",
)


def placeholders(rows: int, columns: int = 1) -> str:
    """``%s, %s`` or ``(%s, %s), (%s, %s)`` for the values of an IN list."""
    one = ", ".join(["%s"] * columns)
    return ", ".join([one if columns == 1 else f"({one})"] * rows)
