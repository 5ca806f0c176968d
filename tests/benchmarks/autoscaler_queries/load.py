# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Fills an empty database of PostgreSQL or MySQL."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from .rows import Row, Table, tables

BATCH = 2_000
SCHEMAS = Path(__file__).parents[2] / "support/airflow_tables"
FILES = {"postgresql": "postgres", "mysql": "mysql"}


def fill(connection: Any, dialect: str, instances: int, now: datetime) -> None:
    """Make the tables anew and fill them; ``connection`` is a DB-API connection in autocommit mode."""
    with connection.cursor() as cursor:
        schema = (SCHEMAS / f"{FILES[dialect]}.sql").read_text()
        statements = [statement for statement in schema.split(";\n") if "CREATE" in statement]
        for statement in statements:
            if "CREATE TABLE" in statement:
                name = statement.partition("CREATE TABLE ")[2].split()[0]
                cursor.execute(f"DROP TABLE IF EXISTS {name}")
            cursor.execute(statement)
        for table in tables(instances, now):
            for rows in _batches(table.rows):
                _copy(cursor, table, rows) if dialect == "postgresql" else _insert(cursor, table, rows)
            cursor.execute(f"ANALYZE {'TABLE ' if dialect == 'mysql' else ''}{table.name}")
            if dialect == "mysql":
                cursor.fetchall()


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _copy(cursor: Any, table: Table, rows: list[Row]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(["\\N" if value is None else value for value in row] for row in rows)
    text.seek(0)
    cursor.copy_expert(f"COPY {table.name} ({table.columns.replace(' ', ', ')}) FROM STDIN CSV NULL '\\N'", text)


def _insert(cursor: Any, table: Table, rows: list[Row]) -> None:
    columns = table.columns.split()
    values = ", ".join(["%s"] * len(columns))
    cursor.executemany(
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({values})",  # noqa: S608 (names are our own)
        [[value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in row] for row in rows],
    )
