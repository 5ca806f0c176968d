# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A DAG or plugin that cannot be imported ends the build of the image. Airflow is a stand-in here."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sm2a_runtime import import_test

TRACE = (
    "Traceback (most recent call last):\n" + "".join(f'  File "{n}.py"\n' for n in range(9)) + "ImportError: no numpy\n"
)


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the stand-in answers: ``dags``, ``dag_errors``, ``plugin_errors``; and the ``folders`` that it was given."""
    answers = SimpleNamespace(dags=["b", "a"], dag_errors={}, plugin_errors={}, folders=[])

    def dag_bag(folder: str) -> Any:
        answers.folders.append((folder, folder in sys.path))
        return SimpleNamespace(dags=dict.fromkeys(answers.dags), import_errors=answers.dag_errors)

    package, processing, dagbag = (ModuleType(name) for name in ("airflow", "dag_processing", "dagbag"))
    vars(package)["plugins_manager"] = SimpleNamespace(get_import_errors=lambda: answers.plugin_errors)
    vars(dagbag)["DagBag"] = dag_bag
    for name, module in {
        "airflow": package,
        "airflow.dag_processing": processing,
        "airflow.dag_processing.dagbag": dagbag,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return answers


def test_dags_that_import_are_named(
    airflow: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_test.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "imported 2 DAGs: a, b\n"
    assert airflow.folders == [(str(tmp_path), True)]


def test_the_folder_of_the_image_is_the_default(airflow: SimpleNamespace) -> None:
    assert import_test.main([]) == 0
    assert airflow.folders[0][0] == "/opt/airflow/dags"


@pytest.mark.parametrize("kind", ["dag_errors", "plugin_errors"])
def test_a_file_that_does_not_import_is_named_with_its_reason(
    airflow: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    setattr(airflow, kind, {"/opt/airflow/broken.py": TRACE})
    assert import_test.main([str(tmp_path)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == ["These files cannot be imported:", "/opt/airflow/broken.py:"]
    assert said[-1] == "  ImportError: no numpy"
    assert len(said) == 2 + import_test.LINES_SHOWN
