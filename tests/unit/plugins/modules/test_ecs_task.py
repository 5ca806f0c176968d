# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ecs_task against the local AWS without a container engine, where a task ends with the exit code that it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.common import role_propagation as new_role
from ansible_collections.sm2a.airflow.plugins.module_utils.common.error_advice import QUOTA
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api as ecs_api
from ansible_collections.sm2a.airflow.tests.support.modules import ModuleFailedError, RunModule
from botocore.client import BaseClient
from botocore.exceptions import ClientError

Aws = Callable[[str], Any]
MODULE = "ecs_task"
EXIT_CODE = "SM2A_LOCAL_AWS_EXIT_CODE"
EXECUTION_ROLE = "arn:aws:iam::000000000000:role/execution"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """In MiniStack alone a one-off task never ends."""
    return local_aws_endpoint


def register(run_module: RunModule, family: str, exit_code: int = 0, sidecar: bool = False) -> None:
    """Register a revision whose container ends with ``exit_code``; a sidecar, not essential, always fails."""
    log = {"awslogs-group": f"/{family}", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "migrate"}
    main = {
        "name": "migrate",
        "image": "example/migrate",
        "environment": {EXIT_CODE: exit_code},
        "log_configuration": {"log_driver": "awslogs", "options": log},
    }
    extra = {"name": "agent", "image": "example/agent", "essential": False, "environment": {EXIT_CODE: "9"}}
    containers = [extra, main] if sidecar else [main]
    size = {"cpu": 256, "memory": 512}
    definition = {"family": family, **size, "execution_role_arn": EXECUTION_ROLE, "container_definitions": containers}
    run_module("ecs_task_definition", {"task_definitions": [definition], "tags": {"team": "data"}})


@pytest.fixture
def family(run_module: RunModule, unique_name: str) -> str:
    """A cluster and a task definition of that name, whose task succeeds."""
    run_module("ecs_cluster", {"name": unique_name})
    register(run_module, unique_name)
    return unique_name


def args(family: str, **more: Any) -> dict[str, Any]:
    """Module arguments for one run."""
    network = {"subnets": ["subnet-a"], "security_groups": ["sg-a"], "assign_public_ip": False}
    options = {"launch_type": "FARGATE", "network_configuration": network, "wait_delay": 1, "wait_timeout": 20}
    return {"cluster": family, "task_definition": family, **options, **more}


def tasks(aws: Aws, cluster: str) -> set[str]:
    """Every task that the cluster has seen."""
    ecs = aws("ecs")
    return {
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
    }


def test_a_task_runs_every_time(run_module: RunModule, aws: Aws, family: str) -> None:
    assert run_module(MODULE, args(family), check=True)["changed"]
    assert tasks(aws, family) == set()
    result = run_module(MODULE, args(family))
    assert (result["ran"], result["task"]["exit_code"], result["task"]["container"]) == (True, 0, "migrate")
    assert result["task"]["task_definition"] == f"{family}:1"
    assert run_module(MODULE, args(family))["changed"]
    assert len(tasks(aws, family)) == 2


def test_run_once_per_revision(run_module: RunModule, aws: Aws, family: str) -> None:
    once = args(family, run_once=True)
    assert run_module(MODULE, once, check=True)["changed"]
    assert run_module(MODULE, once)["changed"]
    assert not run_module(MODULE, once, check=True)["changed"]
    again = run_module(MODULE, once)
    assert (again["changed"], again["ran"], again["task"]) == (False, False, {})
    assert len(tasks(aws, family)) == 1

    register(run_module, family)
    assert not run_module(MODULE, once)["changed"], "registering the same content forgot the record"
    register(run_module, family, sidecar=True)
    assert run_module(MODULE, once)["changed"], "a new revision must run"
    assert not run_module(MODULE, once)["changed"]
    assert len(tasks(aws, family)) == 2


def test_another_key_or_other_overrides_are_another_run(run_module: RunModule, family: str) -> None:
    overrides = {"container_overrides": [{"name": "migrate", "command": ["other"]}]}
    for more in ({}, {"run_once_key": "2"}, {"overrides": overrides}):
        once = args(family, run_once=True, **more)
        assert run_module(MODULE, once)["changed"]
        assert not run_module(MODULE, once)["changed"]


def test_a_failed_run_tells_why_and_is_run_again(run_module: RunModule, aws: Aws, family: str) -> None:
    register(run_module, family, exit_code=3)
    once = args(family, run_once=True)
    for _attempt in range(2):
        with pytest.raises(ModuleFailedError, match=rf"{family}:2 stopped, container migrate with exit code 3"):
            run_module(MODULE, once)
    assert len(tasks(aws, family)) == 2
    assert run_module(MODULE, once, check=True)["changed"]


def test_the_last_log_lines_are_returned(
    run_module: RunModule, aws: Aws, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = aws("logs")
    # Local and real ECS make the stream when the container starts; here none does.
    real = ecs_api.run_task

    def run_and_log(client: Any, **members: Any) -> dict[str, Any]:
        task: dict[str, Any] = real(client, **members)
        stream = {"logGroupName": f"/{family}", "logStreamName": f"migrate/migrate/{task['taskArn'].split('/')[-1]}"}
        logs.create_log_stream(**stream)
        events = [{"timestamp": number, "message": f"line {number}"} for number in range(1, 6)]
        logs.put_log_events(**stream, logEvents=events)
        return task

    logs.create_log_group(logGroupName=f"/{family}")
    monkeypatch.setattr(ecs_api, "run_task", run_and_log)
    assert run_module(MODULE, args(family, log_lines=2))["task"]["log_lines"] == ["line 4", "line 5"]


def test_a_container_that_never_started_is_a_failure(
    run_module: RunModule, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ecs_api.describe_tasks

    def without_exit_code(client: Any, cluster: str, arns: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = real(client, cluster, arns)
        for task in found:
            task["stoppedReason"] = "CannotPullContainerError: no such image"
            for container in task["containers"]:
                container.pop("exitCode", None)
        return found

    monkeypatch.setattr(ecs_api, "describe_tasks", without_exit_code)
    with pytest.raises(ModuleFailedError, match="CannotPullContainerError"):
        run_module(MODULE, args(family))


def test_only_essential_or_named_containers_count(run_module: RunModule, family: str) -> None:
    register(run_module, family, sidecar=True)
    assert run_module(MODULE, args(family))["task"]["exit_code"] == 0
    with pytest.raises(ModuleFailedError, match="container agent with exit code 9"):
        run_module(MODULE, args(family, container="agent"))


def test_a_run_whose_record_is_missing_is_joined_or_found(
    run_module: RunModule, aws: Aws, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = args(family, run_once=True)

    def killed(*_args: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr("ansible_collections.sm2a.airflow.plugins.modules.ecs_task.wait_until", killed)
        with pytest.raises(KeyboardInterrupt):
            run_module(MODULE, once)
    assert len(tasks(aws, family)) == 1
    # The list of running tasks is what ECS would answer while the first run goes on.
    with monkeypatch.context() as still:
        still.setattr(ecs_api, "list_tasks", lambda *_args, **_filters: sorted(tasks(aws, family)))
        still.setattr("ansible_collections.sm2a.airflow.plugins.modules.ecs_task.wait_until", killed)
        with pytest.raises(KeyboardInterrupt):
            run_module(MODULE, once)
    assert len(tasks(aws, family)) == 1, "the run that was going on was not joined"
    # It has ended by now, and well.
    assert run_module(MODULE, once)["changed"]
    assert len(tasks(aws, family)) == 1, "the run that had succeeded was repeated"
    assert not run_module(MODULE, once)["changed"]


def test_a_task_that_takes_too_long_is_left_running(
    run_module: RunModule, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ecs_api.describe_tasks

    def still_running(client: Any, cluster: str, arns: list[str]) -> list[dict[str, Any]]:
        return [{**task, "lastStatus": "RUNNING"} for task in real(client, cluster, arns)]

    monkeypatch.setattr(ecs_api, "describe_tasks", still_running)
    with pytest.raises(ModuleFailedError, match="still RUNNING after 1 seconds"):
        run_module(MODULE, args(family, wait_timeout=1))


def test_an_unknown_task_definition(run_module: RunModule, family: str) -> None:
    missing = args(family, task_definition=f"{family}-missing")
    assert run_module(MODULE, missing, check=True)["changed"]
    with pytest.raises(ModuleFailedError, match="There is no active task definition"):
        run_module(MODULE, missing)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Capacity is unavailable at this time", "place the task: Capacity is unavailable at this time"),
        ("You've reached the limit on the number of vCPUs you can run concurrently", "concurrently. " + QUOTA),
    ],
)
def test_a_refused_placement_tells_the_reason(
    run_module: RunModule, family: str, monkeypatch: pytest.MonkeyPatch, reason: str, said: str
) -> None:
    def refused(self: Any, operation: str, members: Any) -> dict[str, Any]:
        if operation == "RunTask":
            return {"tasks": [], "failures": [{"reason": reason}]}
        answer: dict[str, Any] = real(self, operation, members)
        return answer

    real = BaseClient._make_api_call
    monkeypatch.setattr(BaseClient, "_make_api_call", refused)
    with pytest.raises(ModuleFailedError) as failed:
        run_module(MODULE, args(family))
    assert failed.value.result["msg"].endswith(said)


def test_a_role_of_just_now_is_waited_for(
    run_module: RunModule, aws: Aws, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ECS refuses a role that IAM has made seconds ago; nothing was placed then."""
    call = BaseClient._make_api_call
    refused: list[str] = []
    reason = "ECS was unable to assume the role 'arn:aws:iam::000000000000:role/new' that was provided for this task."

    def refuse_twice(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "RunTask" and len(refused) < 2:
            refused.append(operation)
            raise ClientError({"Error": {"Code": "ClientException", "Message": reason}}, operation)
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse_twice)
    monkeypatch.setattr(new_role, "PAUSES", (0.0, 0.0))
    assert run_module(MODULE, args(family))["task"]["exit_code"] == 0
    assert (len(refused), len(tasks(aws, family))) == (2, 1)


def test_a_role_that_never_comes_is_an_error(
    run_module: RunModule, aws: Aws, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_positional: Any) -> Any:
        raise ClientError({"Error": {"Code": "ClientException", "Message": "unable to assume the role"}}, "RunTask")

    real = BaseClient._make_api_call
    monkeypatch.setattr(
        BaseClient,
        "_make_api_call",
        lambda client, operation, parameters: (refuse if operation == "RunTask" else real)(
            client, operation, parameters
        ),
    )
    monkeypatch.setattr(new_role, "PAUSES", (0.0, 0.0))
    with pytest.raises(ModuleFailedError, match="unable to assume the role"):
        run_module(MODULE, args(family))
    assert tasks(aws, family) == set()
