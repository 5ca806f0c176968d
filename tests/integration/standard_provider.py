# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the DAG dags/standard_provider.py, and asks an image what its standard provider has."""

from __future__ import annotations

from typing import Any

from ansible_collections.sm2a.airflow.tests.support.stack.airflow_api import AirflowApi
from ansible_collections.sm2a.airflow.tests.support.stack.poll import poll

DAG_ID = "standard_provider"
# The file that a sensor waits for on the triggerer.
MARK = "/tmp/standard_provider"
# Prints what Airflow calls each operator, sensor and decorator of the provider; those that others are made of left out.
PROGRAM = """
import importlib, json
from airflow.providers.standard.get_provider_info import get_provider_info
from airflow.sdk import BaseOperator
info = get_provider_info()
modules = [name for kind in ("operators", "sensors") for part in info[kind] for name in part["python-modules"]]
found = [value for name in modules for value in vars(importlib.import_module(name)).values()
         if isinstance(value, type) and issubclass(value, BaseOperator) and value.__module__ == name]
names = [one.__name__ for one in found if not one.__name__.startswith(("_", "Base"))]
decorators = [one["name"] for one in info["task-decorators"]]
print(json.dumps(names + ["@task" if name == "python" else f"@task.{name}" for name in decorators]))
"""
# Stands for a task in another language, which its own worker executes.
NOT_OF_PYTHON = {"@task.stub"}
APPROVAL = "approval"


def run(airflow: AirflowApi) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The tasks of a run that is over, and the log of each that was to wait in the triggerer by its id."""
    run_id = airflow.trigger(DAG_ID)
    approve(airflow, run_id)
    airflow.wait_for_run(DAG_ID, run_id, 400)
    tasks = airflow.tasks(DAG_ID, run_id)
    deferred = [task for task in tasks if task["task_id"].endswith("_deferred")]
    return tasks, {task["task_id"]: airflow.log(DAG_ID, run_id, task) for task in deferred}


def approve(airflow: AirflowApi, run_id: str) -> None:
    """As a person does in the user interface, once the task asks."""
    task = f"dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/{APPROVAL}"
    state = poll(lambda: airflow.call("GET", task)["state"], 180, lambda state: state == "awaiting_input")
    assert state == "awaiting_input"
    airflow.call("PATCH", f"{task}/-1/hitlDetails", json={"chosen_options": ["Approve"]})
