# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""smoke_dag.yml where nothing is deployed. tests/integration runs it on a deployed Airflow."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.tests.support import control_plane as runs


def test_without_an_environment_nobody_logs_in(control_plane: runs.ControlPlane) -> None:
    refused = control_plane.play("smoke_dag")
    assert refused.code == 2, refused.end()
    missing = f"There is no load balancer {runs.NAME}."
    assert refused.message == f"{missing} Deploy the environment first (playbooks/site.yml)."


def test_check_mode_says_what_would_run(control_plane: runs.ControlPlane) -> None:
    checked = control_plane.play("smoke_dag", "--check", extra={"smoke_dag_id": "own_dag"})
    assert checked.code == 0, checked.end()
    [said] = [result["msg"] for result in checked.results if result["task"].endswith("Say how it ended")]
    assert said.startswith("Would run own_dag: https://")
    assert said.endswith("/dags/own_dag")
    assert checked.tasks("changed") == ["sm2a.airflow.smoke_dag : Run the DAG"]
