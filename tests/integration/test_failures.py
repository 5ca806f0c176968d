"""A deployment that goes wrong is red, says why, and leaves running what ran; the next good run converges."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.sm2a.airflow.tests.integration.conftest import Say, Stack
from ansible_collections.sm2a.airflow.tests.integration.playbooks import play
from ansible_collections.sm2a.airflow.tests.integration.settings import NAME

ROLLBACK_SECONDS = 90


def services(stack: Stack) -> dict[str, dict[str, Any]]:
    """Task definition and running count of each service."""
    ecs = stack.aws("ecs")
    arns = ecs.list_services(cluster=NAME)["serviceArns"]
    described = ecs.describe_services(cluster=NAME, services=arns)["services"]
    return {each["serviceName"]: {key: each[key] for key in ("taskDefinition", "runningCount")} for each in described}


def airflow_image(stack: Stack) -> str:
    """URI of the Airflow image that runs."""
    ecs = stack.aws("ecs")
    definition = ecs.describe_task_definition(taskDefinition=f"{NAME}-scheduler")["taskDefinition"]
    return str(definition["containerDefinitions"][0]["image"])


def test_failed_migration_leaves_every_service_as_it_was(stack: Stack, say: Say) -> None:
    before = services(stack)
    run = play("failed_migration", ["site.yml"], say, extra={"airflow_admin_secret_name": f"{NAME}/none"}, timeout=600)
    assert run.code != 0
    # The exit code of the task, and the last line that it wrote.
    assert "exit code 1" in run.end()
    assert f"{NAME}/none" in run.end()
    assert services(stack) == before


def test_image_that_does_not_start_is_rolled_back(stack: Stack, say: Say) -> None:
    before = services(stack)["autoscaler"]
    # An image without the autoscaler's program.
    run = play("wrong_image", ["site.yml"], say, extra={"images_autoscaler_image": airflow_image(stack)}, timeout=900)
    assert run.code != 0
    assert "No module named sm2a_autoscaler" in run.end()
    # The run ends as soon as ECS gives up; the old version starts again right after.
    deadline = time.monotonic() + ROLLBACK_SECONDS
    while services(stack)["autoscaler"] != before and time.monotonic() < deadline:
        time.sleep(2)
    assert services(stack)["autoscaler"] == before


def test_next_good_run_converges(stack: Stack, say: Say) -> None:
    run = play("recovered", ["site.yml"], say, timeout=900)
    assert run.code == 0, run.end()
    assert {name: each["runningCount"] for name, each in services(stack).items() if each["runningCount"] < 1} == {}
