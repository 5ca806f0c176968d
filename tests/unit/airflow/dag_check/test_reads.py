# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads of connections and variables while DAGs are imported. Airflow is a stand-in here."""

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.airflow.dag_check.airflow_stand_in import with_modules

HELPER = """\
def get(backend):
    return backend.get_variable("size")
"""
DAG = """\
import sys
import helper
backend = sys.modules["reads"].Reads()
helper.get(backend)
backend.get_conn_value("db")
"""
NAME = "sm2a_runtime.dag_check.reads"


@pytest.fixture
def reads() -> Iterator[Any]:
    """The module, newly loaded."""
    with with_modules({"airflow": {}, "airflow.secrets": {"BaseSecretsBackend": object}}, NAME) as module:
        yield module


def test_a_read_is_told_at_the_innermost_place_in_the_dags(reads: Any, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER, encoding="utf-8")
    (tmp_path / "dag.py").write_text(DAG, encoding="utf-8")
    reads.Reads.folder = tmp_path
    sys.modules["reads"] = reads
    sys.path.insert(0, str(tmp_path))
    try:
        runpy.run_path(str(tmp_path / "dag.py"))
    finally:
        sys.path.remove(str(tmp_path))
        del sys.modules["reads"], sys.modules["helper"]
    variable, connection = reads.findings(reads.Reads.seen)
    assert (variable.file, variable.line) == (str(tmp_path / "helper.py"), 2)
    assert variable.text.startswith("reads the variable size while it is imported")
    assert (connection.file, connection.line) == (str(tmp_path / "dag.py"), 5)
    assert connection.text.startswith("reads the connection db while it is imported")


def test_what_airflow_itself_reads_does_not_count(reads: Any, tmp_path: Path) -> None:
    reads.Reads.folder = tmp_path
    assert reads.Reads().get_variable("x") is None
    assert reads.Reads.seen == []
