# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks for which the account has no vCPU are not placed; a service gets them when there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import CLUSTER

Say = Callable[..., None]
REASON = "You've reached the limit on the number of vCPUs you can run concurrently"
# Two of the tasks of `task_definition`, of a quarter of a vCPU each.
HALF = 0.5


def test_run_task_says_how_many_were_not_placed(aws_with_account: Any, account: Say) -> None:
    ecs, definition = aws_with_account.client("ecs"), aws_with_account.task_definition("full")
    options = {"cluster": CLUSTER, "taskDefinition": definition, "launchType": "FARGATE"}
    account(quotas={"L-3032A538": HALF})
    answer = ecs.run_task(count=3, **options)
    assert (len(answer["tasks"]), answer["failures"]) == (2, [{"reason": REASON}])
    arns = [task["taskArn"] for task in answer["tasks"]]
    for arn in arns:
        aws_with_account.wait_for_task(arn, "STOPPED")
    arn = aws_with_account.run_task(definition)
    aws_with_account.wait_for_task(arn, "STOPPED")


def test_spot_has_a_quota_of_its_own(aws_with_account: Any, account: Say) -> None:
    ecs, definition = aws_with_account.client("ecs"), aws_with_account.task_definition("spot")
    spot = [{"capacityProvider": "FARGATE_SPOT"}]
    account(quotas={"L-3032A538": 0})
    placed = ecs.run_task(cluster=CLUSTER, taskDefinition=definition, capacityProviderStrategy=spot)
    assert placed["failures"] == []
    aws_with_account.wait_for_task(placed["tasks"][0]["taskArn"], "STOPPED")
    account(quotas={"L-36FBB829": 0})
    refused = ecs.run_task(cluster=CLUSTER, taskDefinition=definition, capacityProviderStrategy=spot)
    assert (refused["tasks"], refused["failures"]) == ([], [{"reason": REASON}])


def test_a_service_waits_for_vcpus(aws_with_account: Any, account: Say) -> None:
    account(quotas={"L-3032A538": HALF})
    aws_with_account.create_service("hungry", aws_with_account.task_definition("hungry"), 3)
    service = aws_with_account.service("hungry")
    assert service["runningCount"] == 2
    assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    said = f"(service hungry) was unable to place a task. Reason: {REASON}."
    assert [event["message"] for event in service["events"]] == [said]
    account()
    assert aws_with_account.wait_for_steady("hungry", 3)["runningCount"] == 3
    aws_with_account.client("ecs").delete_service(cluster=CLUSTER, service="hungry", force=True)
