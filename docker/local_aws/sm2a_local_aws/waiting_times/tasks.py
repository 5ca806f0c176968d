# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ECS: a task starts, a one-off task works, a task of a service passes its health checks, each in its time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services import ecs

from sm2a_local_aws.ecs import lookup, without_engine
from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.waiting_times import states
from sm2a_local_aws.waiting_times.load_balancers import is_provisioning

Handler = Callable[[dict[str, Any]], Any]
Task = dict[str, Any]

STARTING = "PENDING"

without_engine.longer.append(lambda: states.seconds_of("task_start") + states.seconds_of("one_off_task"))

relies_on(
    "ministack.services.ecs",
    {
        "_complete_service_deployment": "4472ae6823d0",
        "_refresh_service_state": "5dcadfc2dcdd",
    },
)


@replaces(
    "ministack.services.ecs:_run_task",
    "6e96d8f5a5b8",
    over=("ecs.without_engine", "ecs.deployments", "ecs.task_tags", "ecs.capacity", "quotas.fargate"),
)
def run_task(original: Handler, data: dict[str, Any]) -> Any:
    """Pending at first; a task of a service counts for its deployment when its health checks pass."""
    response = original(data)
    status, headers, body = response
    if status != 200:
        return response
    answer = json.loads(body)
    for view in answer["tasks"]:
        task = ecs._tasks[view["taskArn"]]
        _start(task)
        view["lastStatus"] = task["lastStatus"]
    return status, headers, json.dumps(answer).encode()


def _start(task: Task) -> None:
    """Begin what a task waits for, one after the other."""
    service = lookup.service_name(task)
    family = task["taskDefinitionArn"].rsplit("/", 1)[-1].partition(":")[0]
    task["_startup_stable"] = False
    if states.seconds_of("task_start"):
        task["lastStatus"] = STARTING

    def started() -> None:
        if task["lastStatus"] == STARTING:
            task["lastStatus"] = "RUNNING"
        if service is None:
            states.begin("one_off_task", family, lambda: None)
            return
        ecs._refresh_service_state(lookup.cluster_name(task), task["group"])
        states.begin("service_healthy", family, healthy)

    def healthy() -> None:
        key = lookup.service_key(task)
        entries = (lookup.service_of(task) or {}).get("loadBalancers") or []
        states.wait_while(lambda: any(is_provisioning(entry.get("targetGroupArn", "")) for entry in entries))
        task["healthStatus"] = "HEALTHY"
        task["_startup_stable"] = True
        if key is not None:
            ecs._complete_service_deployment(lookup.cluster_name(task), key)

    states.begin("task_start", family, started)
