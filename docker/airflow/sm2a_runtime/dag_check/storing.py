# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Store DAGs as the dag-processor does, in an empty database: what cannot be stored never runs, silently."""

from collections.abc import Iterator
from typing import Any

from airflow.dag_processing.collection import update_dag_parsing_results_in_db
from airflow.models import import_all_models
from airflow.models.base import Base
from airflow.models.dagbundle import DagBundleModel
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.settings import engine
from airflow.utils.session import create_session
from sqlalchemy import event, inspect

from sm2a_runtime.dag_check.findings import Finding, line_of, of_traceback

BUNDLE = "import-test"


def make_tables() -> None:
    """Airflow's tables, in the database that its settings name."""
    import_all_models()
    Base.metadata.create_all(engine)
    event.listen(Base, "before_insert", check_lengths, propagate=True)
    with create_session() as session:
        session.add(DagBundleModel(name=BUNDLE))


def check_lengths(_mapper: Any, _connection: Any, row: Any) -> None:
    """Called before a row is inserted. PostgreSQL and MySQL refuse a text that is too long; SQLite does not."""
    for column in inspect(type(row)).columns:
        length, value = getattr(column.type, "length", None), getattr(row, column.key, None)
        if length and isinstance(value, str) and len(value) > length:
            raise ValueError(
                f"{column.name} has {len(value)} characters, at most {length} can be stored: {value[:40]}..."
            )


def problems(dag: Any) -> Iterator[Finding]:
    """Why a DAG cannot be stored."""
    errors: dict[tuple[str, str], str] = {}
    try:
        with create_session() as session:
            stored = LazyDeserializedDAG.from_dag(dag)
            update_dag_parsing_results_in_db(BUNDLE, None, [stored], errors, None, set(), session)
    # Whatever a DAG can bring about.
    except Exception as error:
        yield _finding(dag, 0, f"{type(error).__name__}: {error}")
    for trace in errors.values():
        told = of_traceback(dag.fileloc, trace)
        yield _finding(dag, told.line, told.text)


def _finding(dag: Any, line: int, reason: str) -> Finding:
    known = line or line_of(dag.fileloc, dag.dag_id)
    return Finding(dag.fileloc, known, f"Airflow cannot store the DAG {dag.dag_id}: {reason}")
