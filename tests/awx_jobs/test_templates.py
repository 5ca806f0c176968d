# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every template of extensions/awx once, in the order in which an environment lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.awx_jobs.controller import JobRun
from ansible_collections.sm2a.airflow.tests.awx_jobs.desk import ENVIRONMENT, IMAGES, Desk, holder, with_variables
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

pytestmark = pytest.mark.engine

# What a person answers, as text: numbers and choices as well.
REMOVAL = {"sm2a_destroy": ENVIRONMENT, **{name: str(value).lower() for name, value in runs.DESTROY.items()}}


@pytest.fixture(scope="module")
def launched(desk: Desk) -> dict[str, JobRun]:
    """Jobs by template, filled by the tests below."""
    desk.prepare()
    return {}


@pytest.fixture
def launch(desk: Desk, launched: dict[str, JobRun]) -> Callable[..., JobRun]:
    """Launch a template, which must succeed and tell no secret."""

    def one(template: str, answers: dict[str, Any] | None = None, **prompts: Any) -> JobRun:
        run = desk.launch(template, answers, **prompts)
        launched[template] = run
        assert run.status == "successful", run.end()
        assert desk.keys["secret_access_key"] not in f"{run.output}{run.events}"
        assert "DEPRECATION" not in run.output
        return run

    return one


def test_preflight_in_a_pod(desk: Desk, launched: dict[str, JobRun]) -> None:
    """As in a container group of Kubernetes or OpenShift."""
    pod = replace(desk, controller=replace(desk.controller, pod="1000640000:0"))
    run = pod.launch("SM2A: preflight", IMAGES)
    assert run.status == "successful", run.end()
    assert "checks: " in run.output


def test_preflight(launch: Callable[..., JobRun]) -> None:
    run = launch("SM2A: preflight", IMAGES)
    assert run.changed == []
    assert "checks: " in run.output


def test_what_would_change(launch: Callable[..., JobRun], desk: Desk) -> None:
    run = launch(
        "SM2A: what would change", {**IMAGES, "airflow_wait_timeout": "1800", "database_apply_immediately": "false"}
    )
    assert len(run.changed) > 20
    assert desk.aws.client("ecs").list_clusters()["clusterArns"] == []


def test_deploy(launch: Callable[..., JobRun], launched: dict[str, JobRun], desk: Desk) -> None:
    run = launch("SM2A: deploy", {**IMAGES, "airflow_wait_timeout": "1800", "database_apply_immediately": "false"})
    # --diff is on, and what was predicted was done.
    assert "+++ after" in run.output
    assert set(run.changed) == set(launched["SM2A: what would change"].changed)
    services = desk.aws.client("ecs").list_services(cluster=ENVIRONMENT)["serviceArns"]
    assert len(services) == 6
    assert "Give the lock back" in run.tasks
    assert holder(desk.aws) is None


def test_deploy_again_changes_nothing(launch: Callable[..., JobRun]) -> None:
    assert launch("SM2A: deploy", IMAGES).changed == []


def test_drift(launch: Callable[..., JobRun], desk: Desk) -> None:
    """Without a survey, as the schedule launches it: the images stand in the inventory. One thing was changed."""
    desk.aws.client("logs").put_retention_policy(logGroupName=f"/sm2a/{ENVIRONMENT}/scheduler", retentionInDays=1)
    run = launch("SM2A: drift", inventory=with_variables(desk.inventory, IMAGES))
    assert len(run.changed) == 1, run.changed


def test_smoke_dag(launch: Callable[..., JobRun], desk: Desk) -> None:
    run = launch("SM2A: smoke DAG", {"smoke_dag_timeout": "60"})
    assert len(desk.airflow.runs) == 1
    [login] = desk.airflow.logins
    assert login["username"]
    assert login["password"] not in f"{run.output}{run.events}"


def test_unlock(launch: Callable[..., JobRun]) -> None:
    run = launch("SM2A: unlock")
    assert "No run holds the lock" in run.output


def test_remedy(launch: Callable[..., JobRun]) -> None:
    """Without containers no scheduler reports, so that the alarm is on."""
    run = launch("SM2A: remedy", {"sm2a_remedy_alarm": f"{ENVIRONMENT}/scheduler-heartbeat"})
    assert run.changed == ["Start the service anew"]
    assert "A new deployment of scheduler" in run.output


def test_building_images_without_an_engine_is_refused(desk: Desk, launched: dict[str, JobRun]) -> None:
    run = desk.launch("SM2A: build images", {"images_git": "false", "images_minimum_free_gib": "1"})
    launched["SM2A: build images"] = run
    assert run.status == "failed", run.end()
    assert run.changed == []
    [said] = run.failures
    assert "No container engine found" in said
    assert "images_airflow_image and images_autoscaler_image" in said
    assert "playbooks/build_images.yml on a machine that has a container engine" in said


def test_images_that_are_there_are_handed_to_the_next_node(desk: Desk) -> None:
    run = desk.launch("SM2A: build images", inventory=with_variables(desk.inventory, IMAGES))
    assert run.status == "successful", run.end()
    assert run.changed == []
    assert IMAGES.items() <= run.artifacts.items()
    assert run.artifacts.keys() - IMAGES.keys() == {"sm2a_summary"}


def test_what_would_be_removed(launch: Callable[..., JobRun], desk: Desk) -> None:
    run = launch("SM2A: what would be removed", REMOVAL)
    assert "Lost: " in run.output
    assert desk.aws.client("ecs").list_clusters()["clusterArns"] != []


def test_teardown(launch: Callable[..., JobRun], desk: Desk) -> None:
    launch("SM2A: teardown", REMOVAL)
    assert desk.aws.client("ecs").list_clusters()["clusterArns"] == []
    assert desk.aws.client("s3").list_buckets()["Buckets"] == []


def test_every_template_was_launched(
    launched: dict[str, JobRun], desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(launched) == {template["name"] for template in desk.definitions.templates}
    with capsys.disabled():
        print()
        for template, run in launched.items():
            print(f"{template}: {run.status} in {run.seconds} s, {len(run.events)} events")
