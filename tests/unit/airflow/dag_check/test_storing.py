# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Why DAGs cannot be stored. Airflow is a stand-in here; SQLAlchemy is the real one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.airflow.dag_check.airflow_stand_in import with_modules
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import String


class Base(DeclarativeBase):
    pass


class Bundle(Base):
    __tablename__ = "bundle"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)


class Row(Base):
    __tablename__ = "dag"
    dag_id: Mapped[str] = mapped_column(String(8), primary_key=True)


@pytest.fixture
def storing(tmp_path: Path) -> Iterator[Any]:
    engine = create_engine(f"sqlite:///{tmp_path}/airflow.db")

    @contextmanager
    def create_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session
            session.commit()

    def store(_bundle: str, _version: None, dags: list[Any], errors: Any, *others: Any) -> None:
        for dag in dags:
            if dag.dag_id == "asset":
                raise ValueError("URI must be ascii")
            if dag.dag_id == "object":
                errors["bundle", "dag.py"] = "Traceback:\nTypeError: not serializable"
            others[-1].add(Row(dag_id=dag.dag_id))

    names: dict[str, dict[str, Any]] = {
        "airflow": {},
        "airflow.dag_processing": {},
        "airflow.dag_processing.collection": {"update_dag_parsing_results_in_db": store},
        "airflow.models": {"import_all_models": lambda: None},
        "airflow.models.base": {"Base": Base},
        "airflow.models.dagbundle": {"DagBundleModel": Bundle},
        "airflow.serialization": {},
        "airflow.serialization.serialized_objects": {"LazyDeserializedDAG": SimpleNamespace(from_dag=lambda dag: dag)},
        "airflow.settings": {"engine": engine},
        "airflow.utils": {},
        "airflow.utils.session": {"create_session": create_session},
    }
    with with_modules(names, "sm2a_runtime.dag_check.storing") as module:
        module.make_tables()
        yield module
    engine.dispose()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("asset", "ValueError: URI must be ascii"),
        ("object", "TypeError: not serializable"),
        ("very_long", "ValueError: dag_id has 9 characters, at most 8 can be stored: very_long..."),
    ],
)
def test_what_cannot_be_stored_is_told_and_the_next_dag_can(
    storing: Any, tmp_path: Path, name: str, reason: str
) -> None:
    file = tmp_path / "dag.py"
    file.write_text(f'\n\nDAG("{name}")\n', encoding="utf-8")
    [found] = storing.problems(SimpleNamespace(dag_id=name, fileloc=str(file)))
    assert str(found).splitlines()[0] == f"{file}:3: Airflow cannot store the DAG {name}: {reason}"
    assert list(storing.problems(SimpleNamespace(dag_id="well", fileloc=str(file)))) == []
