# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""DAGs that cannot run, and plugins that cannot be imported, end the build of the image. Airflow is a stand-in here."""

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sm2a_runtime import dag_check, import_test
from sm2a_runtime.dag_check.findings import Finding

BROKEN = Finding("/dags/broken.py", 3, "ImportError: no numpy")


def dag(name: str, queue: str = "default", pool: str = "default_pool") -> Any:
    task = SimpleNamespace(task_id="task", queue=queue, pool=pool)
    return SimpleNamespace(dag_id=name, fileloc=f"/dags/{name}.py", tasks=[task])


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """What the modules that import Airflow answer, and what they were asked."""
    state = SimpleNamespace(dags=[dag("a"), dag("b")], errors=[], plugins=[], reads=[], unstorable={}, folder=None)
    modules = {name: ModuleType(f"sm2a_runtime.dag_check.{name}") for name in ("loading", "reads", "storing")}

    def load(folder: Path) -> Any:
        state.folder, state.options = folder, dict(os.environ)
        return SimpleNamespace(dags=state.dags, errors=state.errors)

    vars(modules["loading"]).update(load=load, plugin_errors=lambda: state.plugins)
    vars(modules["reads"]).update(Reads=SimpleNamespace(seen=state.reads, folder=None), findings=list)
    vars(modules["storing"]).update(make_tables=lambda: None, problems=lambda one: state.unstorable.get(one.dag_id, []))
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(dag_check, name, module, raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    state.queues = tmp_path / "worker_queues"
    monkeypatch.setattr(import_test, "QUEUES", state.queues)
    return state


def test_dags_that_can_run_are_named(
    airflow: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_test.main([str(tmp_path), "--queues", "default, large"]) == 0
    assert capsys.readouterr().out == "imported 2 DAGs: a, b\n"
    assert airflow.folder == tmp_path


def test_the_folder_of_the_image_is_the_default(airflow: SimpleNamespace) -> None:
    assert import_test.main([]) == 0
    assert airflow.folder == Path("/opt/airflow/dags")


def test_everything_is_told_at_once(
    airflow: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.errors.append(BROKEN)
    airflow.plugins.append(Finding("/plugins/p.py", 1, "SyntaxError: invalid syntax"))
    airflow.unstorable["a"] = [Finding("/dags/a.py", 7, "Airflow cannot store the DAG a: URI must be ascii")]
    airflow.dags.append(dag("c", queue="nowhere", pool="scarce"))
    airflow.reads.append(Finding("/dags/b.py", 2, "reads the variable x while it is imported"))
    assert import_test.main([str(tmp_path), "--queues", "default"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "To know:",
        "/dags/b.py:2: reads the variable x while it is imported",
        "/dags/c.py: the DAG c needs the pool scarce, which must exist in Airflow",
        "These DAGs or plugins cannot run:",
        "/dags/a.py:7: Airflow cannot store the DAG a: URI must be ascii",
        "/dags/broken.py:3: ImportError: no numpy",
        "/dags/c.py: the task task of the DAG c never runs: no group of workers has the queue nowhere, only default",
        "/plugins/p.py:1: SyntaxError: invalid syntax",
    ]


def test_without_queues_it_says_that_they_were_not_checked(
    airflow: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.dags.append(dag("c", queue="nowhere"))
    airflow.queues.write_text("\n", encoding="utf-8")
    assert import_test.main([str(tmp_path)]) == 0
    assert "queues of tasks were not checked" in capsys.readouterr().out
    assert "AIRFLOW__OPERATORS__DEFAULT_QUEUE" not in airflow.options


def test_the_queues_of_the_image_are_those_of_the_test(
    airflow: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.dags.append(dag("c", queue="large"))
    airflow.queues.write_text("default\n", encoding="utf-8")
    assert import_test.main([]) == 1
    assert "no group of workers has the queue large, only default" in capsys.readouterr().err
    assert import_test.main(["--queues", "default large"]) == 0


def test_airflow_works_on_a_database_of_the_test_and_knows_the_default_queue(
    airflow: SimpleNamespace, tmp_path: Path
) -> None:
    assert import_test.main([str(tmp_path), "--queues", "default second"]) == 0
    database = airflow.options["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].removeprefix("sqlite:///")
    assert airflow.options["AIRFLOW__OPERATORS__DEFAULT_QUEUE"] == "default"
    assert airflow.options["AIRFLOW__SECRETS__BACKEND"] == "sm2a_runtime.dag_check.reads.Reads"
    assert Path(database).is_absolute()
    assert not Path(database).parent.exists()
