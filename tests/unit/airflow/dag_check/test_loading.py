# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which DAGs are imported, and what is told of the others. Airflow is a stand-in here."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.airflow.dag_check.airflow_stand_in import with_modules

PLUGIN_ERRORS = {"/plugins/p.py": 'Traceback:\n  File "/plugins/p.py", line 4, in <module>\nNameError: x'}


class DagBag:
    """Finds the DAGs that the test gives, as Airflow's does."""

    found: tuple[Any, ...] = ()
    errors: dict[str, str] = {}  # noqa: RUF012  # replaced by a test, never changed

    def __init__(self, folder: str) -> None:
        assert folder in sys.path, "modules beside the DAGs are imported by name"
        self.dags: dict[str, Any] = {}
        self.import_errors = self.errors
        for one in self.found:
            self.bag_dag(one)

    def bag_dag(self, dag: Any) -> None:
        self.dags[dag.dag_id] = dag


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    manager = SimpleNamespace(get_import_errors=lambda: PLUGIN_ERRORS)
    modules: dict[str, dict[str, Any]] = {
        "airflow": {"plugins_manager": manager},
        "airflow.dag_processing": {},
        "airflow.dag_processing.dagbag": {"DagBag": DagBag},
    }
    with with_modules(modules, "sm2a_runtime.dag_check.loading") as module:
        yield module


def test_dags_are_sorted_and_errors_told_with_the_whole_path(
    loading: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dags = [SimpleNamespace(dag_id=name, fileloc=str(tmp_path / f"{name}.py")) for name in ("b", "a")]
    monkeypatch.setattr(DagBag, "found", (*dags, dags[0]))
    monkeypatch.setattr(DagBag, "errors", {"sub/c.py": "ImportError: no numpy"})
    loaded = loading.load(tmp_path)
    assert [dag.dag_id for dag in loaded.dags] == ["a", "b"]
    assert [str(error) for error in loaded.errors] == [f"{tmp_path}/sub/c.py: ImportError: no numpy"]


def test_an_id_that_a_file_has_twice_is_told(loading: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.py"
    file.write_text('\nDAG("a")\nDAG("a")\n', encoding="utf-8")
    monkeypatch.setattr(DagBag, "found", tuple(SimpleNamespace(dag_id="a", fileloc=str(file)) for _ in range(2)))
    [error] = loading.load(tmp_path).errors
    assert str(error) == f"{file}:2: the DAG id a is there twice: only one of them runs"


def test_plugins_that_cannot_be_imported_are_told(loading: Any) -> None:
    [error] = loading.plugin_errors()
    assert (error.file, error.line) == ("/plugins/p.py", 4)
    assert error.text.startswith("NameError: x")
