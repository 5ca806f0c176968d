# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of Celery's results: its own names and column types, with JSON where Celery has pickles."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import LargeBinary, Sequence, String, Text, create_engine, func, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

# What fits into MySQL's BLOB and TEXT, and more than any result of Airflow takes. No more is read into memory.
MOST_BYTES = 65_535
MOST_CHARACTERS = 16_000
# Deeper values would exhaust the stack of a process that prints them.
MOST_LEVELS = 50


class Base(DeclarativeBase):
    """The tables of this module."""


@dataclass(frozen=True)
class Unreadable:
    """Replaces a stored result that is not JSON, written by an earlier release or by an attacker."""

    reason: str


def encode(value: Any) -> bytes:
    """A value as JSON; what JSON cannot say becomes text, because a task that ran well must not fail for its result."""
    try:
        data = json.dumps(value, default=repr, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        data = b""
    if not data or len(data) > MOST_BYTES:
        return json.dumps(f"<{type(value).__name__} that is too large, too deep or no JSON>").encode()
    return data


def decode(data: bytes) -> Any:
    """The value of JSON, with nothing but what JSON itself has; Unreadable for anything else."""
    if len(data) > MOST_BYTES:
        return Unreadable(f"it has more than {MOST_BYTES} bytes")
    try:
        value = json.loads(data.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return Unreadable("it is no JSON")
    return Unreadable(f"it has more than {MOST_LEVELS} levels") if _is_deep(value) else value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [child for parent in level for child in _children(parent)]
    return bool(level)


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


class JsonBytes(TypeDecorator[Any]):
    """JSON in a column for bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> bytes | None:
        """Python to database."""
        return None if value is None else encode(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        """Database to Python. Never raises: other rows of the same query are well."""
        return None if value is None else decode(bytes(value))

    def column_expression(self, column: Any) -> Any:
        """What is selected: one byte more than may be, so that a giant does not fill the reader's memory."""
        return func.substr(column, 1, MOST_BYTES + 1, type_=self)


class BoundedText(TypeDecorator[str]):
    """Text of which no more than a part is written and read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """Python to database. The end says what went wrong."""
        return None if value is None else str(value).replace("\0", "")[-MOST_CHARACTERS:]

    def column_expression(self, column: Any) -> Any:
        """What is selected."""
        return func.substr(column, 1, MOST_CHARACTERS, type_=self)


def _now() -> datetime:
    return datetime.now(UTC)


class _Table:
    """What Celery asks of both."""

    @classmethod
    def configure(cls, schema: str | None = None, name: str | None = None) -> None:
        """Called with `database_table_schemas` and `database_table_names`, which SM2A does not set."""
        if schema or name:
            raise ValueError("the tables of Celery's results have the names that the migration gave them")


class Task(_Table, Base):
    """Status and result of a task."""

    __tablename__ = "celery_taskmeta"

    id: Mapped[int] = mapped_column(Sequence("task_id_sequence"), primary_key=True, autoincrement=True)
    task_id: Mapped[str | None] = mapped_column(String(155), unique=True)
    status: Mapped[str | None] = mapped_column(String(50), default="PENDING")
    result: Mapped[Any] = mapped_column(JsonBytes, nullable=True)
    date_done: Mapped[datetime | None] = mapped_column(default=_now, onupdate=_now, index=True)
    traceback: Mapped[str | None] = mapped_column(BoundedText)

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id

    def to_dict(self) -> dict[str, Any]:
        """As Celery's own model."""
        return {
            "task_id": self.task_id,
            "status": self.status,
            "result": self.result,
            "traceback": self.traceback,
            "date_done": self.date_done,
        }


class TaskSet(_Table, Base):
    """The tasks of a group, which Airflow does not use."""

    __tablename__ = "celery_tasksetmeta"

    id: Mapped[int] = mapped_column(Sequence("taskset_id_sequence"), primary_key=True, autoincrement=True)
    taskset_id: Mapped[str | None] = mapped_column(String(155), unique=True)
    result: Mapped[Any] = mapped_column(JsonBytes, nullable=True)
    date_done: Mapped[datetime | None] = mapped_column(default=_now, index=True)

    def __init__(self, taskset_id: str, result: Any) -> None:
        self.taskset_id = taskset_id
        self.result = result

    def to_dict(self) -> dict[str, Any]:
        """As Celery's own model."""
        return {"taskset_id": self.taskset_id, "result": self.result, "date_done": self.date_done}


def create_missing(metadata: Any, driver: str, connect: Callable[[], Any]) -> bool:
    """Create those of these tables that are missing, on connections of this function. Returns whether any was."""
    engine = create_engine(f"{driver}://", creator=connect, poolclass=NullPool)
    missing = set(metadata.tables) - set(inspect(engine).get_table_names())
    if missing:
        metadata.create_all(engine)
        print(f"tables {', '.join(sorted(missing))}: created")
    return bool(missing)
