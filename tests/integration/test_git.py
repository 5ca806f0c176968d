# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A project of one's own: its packages and plugins in a new image, its DAGs from a private Git repository."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.integration import standard_provider
from ansible_collections.sm2a.airflow.tests.integration.git_server import BRANCH, Repository, served
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.stack import engine
from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.canaries import leaks
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Measures, Say, Stack
from ansible_collections.sm2a.airflow.tests.support.stack.playbooks import Run, deploy
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll
from ansible_collections.sm2a.airflow.tests.support.stack.settings import GATEWAY, NAME, variables
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

pytestmark = pytest.mark.chain("stack")

USER = "airflow"
TOKEN = f"canary-{secrets.token_hex(12)}"
DAG_ID = "from_git"
MACHINE_ID = "worker_machine"
DAG = """
import shutil

import cowsay
from airflow.sdk import dag, task
from company import COMPANY
from words import WORD

@dag(schedule=None)
def from_git():
    @task
    def say():
        print(f"Git says {WORD}, the plugin {COMPANY}; cowsay {cowsay.__version__}, {shutil.which('tree')}")
    say()

from_git()
"""
# What images_project_directory takes: all but the DAGs, which come from Git.
PROJECT_FILES = {
    # As an editor on Windows saves it.
    "requirements.txt": "\ufeffcowsay==6.1\r\n\r\n",
    "packages.txt": "\ufefftree  \r\n# No more.\r\n",
    "environments/old/requirements.txt": "cowsay==5.0\n",
    "plugins/company.py": """
from airflow.plugins_manager import AirflowPlugin

COMPANY = "example.com"

class Company(AirflowPlugin):
    name = "company"
""",
}
SAID = "the plugin example.com; cowsay 6.1, /usr/bin/tree"


def files(word: str) -> dict[str, str]:
    """A DAG, the module that it imports, and the examples of the image for the tests that follow."""
    examples = {f"dags/{path.name}": path.read_text(encoding="utf-8") for path in (PROJECT / "dags").glob("*.py")}
    own = (Path(__file__).parent / f"dags/{name}.py" for name in (MACHINE_ID, standard_provider.DAG_ID))
    examples |= {f"dags/{path.name}": path.read_text(encoding="utf-8") for path in own}
    return {**examples, f"dags/{DAG_ID}.py": DAG, "dags/words.py": f"WORD = {word!r}\n", "README.md": "Not a DAG.\n"}


@dataclass(frozen=True)
class Switched:
    """The repository with its first ``commit``, what a run in check mode foretold, and the run that switched to it.

    ``bill`` is the file with the bill of materials of the new image.
    """

    repository: Repository
    commit: str
    foretold: Run
    run: Run
    bill: Path


@pytest.fixture(scope="session")
def switched(stack: Stack, tmp_path_factory: pytest.TempPathFactory, say: Say) -> Iterator[Switched]:
    """DAGs come from Git from now on, for later tests as well, with the token of a connection in Secrets Manager."""
    directory = tmp_path_factory.mktemp("git")
    repository = Repository(directory)
    commit = repository.push(files("first"))
    token = directory / "connection.json"
    token.touch(mode=0o600)
    for name, text in PROJECT_FILES.items():
        path = directory / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    token.write_text(f'{{"conn_type": "git", "login": "{USER}", "password": "{TOKEN}"}}', encoding="utf-8")
    given: dict[str, Any] = variables()["secrets_connections"]
    with served(repository, GATEWAY, USER, TOKEN) as url:
        changes = {
            "secrets_connections": {
                **given,
                "dags_repository": {"value_from": {"file": str(token)}},
                "fs_default": "fs:///",
            },
            # Tasks make virtual environments without the internet.
            "airflow_config": {"standard": {"venv_install_method": "pip"}},
            "images_project_directory": str(directory / "project"),
            "images_sbom_directory": str(directory / "sbom"),
            "storage_dags_bucket": True,
            "airflow_dags_source": "git",
            "airflow_dags_git_url": url,
            "airflow_dags_git_branch": BRANCH,
            "airflow_dags_git_subdirectory": "dags",
            "airflow_dags_git_connection_id": "dags_repository",
            "airflow_dags_refresh_interval": 10,
        }
        foretold = deploy("git_foretold", say, changes, "--check")
        assert foretold.code == 0, foretold.end()
        run = deploy("git", say, changes, "-vvv")
        assert run.code == 0, run.end()
        yield Switched(repository, commit, foretold, run, directory / "sbom/airflow.cdx.json")


def version(airflow: AirflowApi) -> str | None:
    """Commit that the DAG was last read from."""
    found: str | None = airflow.call("GET", f"dags/{DAG_ID}")["bundle_version"]
    return found


def run_dag(airflow: AirflowApi) -> tuple[str, str]:
    """Run the DAG: the commit that the run remembers, and the log of its task."""
    run = airflow.trigger(DAG_ID)
    assert airflow.wait_for_run(DAG_ID, run, 240) == "success"
    (task,) = airflow.tasks(DAG_ID, run)
    return str(airflow.call("GET", f"dags/{DAG_ID}/dagRuns/{run}")["bundle_version"]), airflow.log(DAG_ID, run, task)


def test_check_mode_foretells_a_new_image_and_all_that_follows(switched: Switched) -> None:
    assert any("Build and push" in task for task in switched.run.changed_tasks), switched.run.changed_tasks
    assert switched.foretold.changed_tasks == switched.run.changed_tasks


def test_the_bill_of_materials_lists_what_the_project_added(switched: Switched) -> None:
    text = switched.bill.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = json.loads(text)["components"]
    versions = {one["name"]: one.get("version") for one in components}
    assert {one["version"] for one in components if one["name"] == "cowsay"} == {"6.1", "5.0"}
    assert versions["apache-airflow"] == "3.3.2"
    assert versions["tree"]
    assert {"/usr/share/sm2a/rds-ca-bundle.pem", "/usr/local/bin/uv"} <= set(versions)


def test_dags_come_from_git_and_a_push_needs_no_deployment(
    switched: Switched, airflow: AirflowApi, measures: Measures, say: Say
) -> None:
    airflow.wait_for_dag(DAG_ID)
    commit, log = run_dag(airflow)
    assert commit == switched.commit
    assert f"Git says first, {SAID}" in log
    pushed = switched.repository.push(files("second"))
    started = time.monotonic()
    assert poll(lambda: version(airflow), 180, lambda found: found == pushed, pause=1) == pushed
    seconds = round(time.monotonic() - started, 1)
    measures.record(dag_from_git_seconds=seconds)
    say(f"a pushed DAG was there after {seconds} s")
    commit, log = run_dag(airflow)
    assert commit == pushed
    assert f"Git says second, {SAID}" in log


def test_a_worker_can_do_what_tasks_want_of_a_machine(switched: Switched, airflow: AirflowApi) -> None:
    airflow.wait_for_dag(MACHINE_ID)
    assert airflow.wait_for_run(MACHINE_ID, airflow.trigger(MACHINE_ID), 240) == "success"


def test_every_operator_of_the_standard_provider_runs(
    switched: Switched, airflow: AirflowApi, measures: Measures, say: Say
) -> None:
    [scheduler] = engine.containers(NAME, "scheduler")
    [triggerer] = engine.containers(NAME, "triggerer")
    engine.execute(triggerer, "touch", standard_provider.MARK)
    airflow.wait_for_dag(standard_provider.DAG_ID)
    started = time.monotonic()
    tasks, logs = standard_provider.run(airflow)
    seconds = round(time.monotonic() - started, 1)
    measures.record(standard_provider_tasks=len(tasks), standard_provider_seconds=seconds)
    say(f"standard provider: {len(tasks)} tasks in {seconds} s")
    states = {task["task_id"]: task["state"] for task in tasks}
    assert {name: state for name, state in states.items() if state != "success"} == {"left_out": "skipped"}
    assert max(task["try_number"] for task in tasks) == 1
    assert [name for name, text in logs.items() if "Pausing task as DEFERRED" not in text] == []
    ran = {task["operator_name"] for task in tasks}
    assert set(engine.run_python(scheduler, standard_provider.PROGRAM)) - ran == standard_provider.NOT_OF_PYTHON


def test_the_token_is_in_no_output_and_no_log(stack: Stack, switched: Switched) -> None:
    texts = {run.log.name: run.log.read_text(encoding="utf-8") for run in (switched.foretold, switched.run)}
    texts |= stack.container_logs()
    assert {name for name, text in texts.items() if leaks(text, {TOKEN: "the token"})} == set()
