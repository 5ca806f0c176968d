# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The workflow release from the first node to the last; and one that is not agreed to, and one whose DAG fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.awx_jobs.controller import JobRun
from ansible_collections.sm2a.airflow.tests.awx_jobs.desk import ENVIRONMENT, IMAGES, Desk
from ansible_collections.sm2a.airflow.tests.awx_jobs.workflow import Node, WorkflowRun, walk
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

pytestmark = pytest.mark.engine

NAME = "SM2A: release"
# Updates of the project and of its inventory: the checkout and inventories/example are what the jobs have here.
UPDATES = ("SM2A", "SM2A: environments from the repository")


@dataclass
class Release:
    """A launch of the workflow: answers of its survey go to every node, and win over what set_stats left."""

    desk: Desk
    answers: Mapping[str, Any]
    agreed: bool = True
    jobs: dict[str, JobRun] = field(default_factory=dict)

    def run(self) -> WorkflowRun:
        """Walk it."""
        return walk(self.desk.definitions.workflow(NAME)["simplified_workflow_nodes"], self._node)

    def _node(self, node: Node, inherited: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        if "approval_node" in node:
            return ("successful" if self.agreed else "failed"), {}
        template = str(node["unified_job_template"])
        if template in UPDATES:
            return "successful", {}
        answers = {**(node.get("extra_data") or {}), **inherited, **self.answers}
        job = self.desk.launch(template, answers)
        self.jobs[str(node["identifier"])] = job
        return job.status, job.artifacts


def test_a_release_is_looked_at_agreed_deployed_and_tried(
    desk: Desk, empty_account: runs.ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    release = Release(desk, {**IMAGES, "airflow_wait_timeout": "1800", "smoke_dag_timeout": "60"})
    run = release.run()
    assert run.status == "successful", {
        name: job.end() for name, job in release.jobs.items() if job.status != "successful"
    }
    nodes = desk.definitions.workflow(NAME)["simplified_workflow_nodes"]
    assert list(run.nodes) == [node["identifier"] for node in nodes]
    # What a person agreed to is what happened.
    assert set(release.jobs["check"].changed) == set(release.jobs["deploy"].changed)
    assert len(desk.airflow.runs) == 1
    with capsys.disabled():
        print(f"\n{NAME}: {sum(job.seconds for job in release.jobs.values()):.0f} s in {len(release.jobs)} jobs")


def test_what_is_not_agreed_to_is_not_deployed(desk: Desk, empty_account: runs.ControlPlane) -> None:
    release = Release(desk, IMAGES, agreed=False)
    run = release.run()
    assert run.status == "failed"
    assert (run.nodes["agree"], list(run.nodes)[-1]) == ("failed", "agree")
    assert desk.aws.client("ecs").list_clusters()["clusterArns"] == []


def test_a_failed_dag_fails_the_release(desk: Desk, empty_account: runs.ControlPlane) -> None:
    desk.airflow.states = ["failed"]
    release = Release(desk, IMAGES)
    run = release.run()
    assert run.status == "failed"
    assert run.nodes["smoke_dag"] == "failed"
    [said] = release.jobs["smoke_dag"].failures
    assert "square" in said
    assert ENVIRONMENT in str(desk.aws.client("ecs").list_clusters()["clusterArns"])
