# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A pickle in a row runs nothing when it is read, and other rows are read as ever."""

import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sm2a_runtime.database import pickled_columns
from sqlalchemy import Column, Integer, LargeBinary, MetaData, PickleType, Table, create_engine, insert, select
from sqlalchemy.orm import Session


class ConfigType(PickleType):
    """A type on top of it, as Airflow's own."""

    cache_ok = True

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        """As it is there."""
        return super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]


class Crafted:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def hardened(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process of Airflow, until the end of the test."""
    monkeypatch.setattr(PickleType, "result_processor", PickleType.result_processor)
    pickled_columns.read_plain_values()
    pickled_columns.read_plain_values()
    yield


def read(values: list[bytes | None]) -> list[Any]:
    """What a session reads of rows with these bytes."""
    engine = create_engine("sqlite://")
    table = Table("task_instance", MetaData(), Column("id", Integer, primary_key=True), Column("config", ConfigType))
    raw = Table("task_instance", MetaData(), Column("id", Integer, primary_key=True), Column("config", LargeBinary))
    table.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(raw), [{"config": value} for value in values])
    with Session(engine) as session:
        return list(session.scalars(select(table.c.config).order_by(table.c.id)))


CRAFTED = [
    b"cos\nsystem\n(S'false'\ntR.",
    b"\x80\x02]" + b"(" * 5 + b"ios\nsystem\n.",
    b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
    b"\x82\x01.",
    b"Pid\n.",
    b"no pickle",
    b"",
    b"\x80\xff.",
]


def test_code_in_a_row_does_not_run(hardened: None, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    plain = {"queue": "heavy", "sizes": [1, 2.5, None], "raw": b"x", "more": {"a": (1, True)}}
    found = read([pickle.dumps(Crafted(mark)), pickle.dumps(plain), None, *CRAFTED])
    assert not mark.exists()
    assert found == [None, plain, None, *[None] * len(CRAFTED)]


def test_it_would_run_without(tmp_path: Path) -> None:
    """That the attack is one."""
    mark = tmp_path / "ran"
    read([pickle.dumps(Crafted(mark))])
    assert mark.exists()


def test_what_is_written_can_be_read(hardened: None) -> None:
    engine = create_engine("sqlite://")
    table = Table("task_instance", MetaData(), Column("id", Integer, primary_key=True), Column("config", ConfigType))
    table.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(insert(table).values(config={"queue": "heavy"}))
        assert session.scalars(select(table.c.config)).one() == {"queue": "heavy"}
