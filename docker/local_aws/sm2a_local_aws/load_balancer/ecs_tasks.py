# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a service does about the load balancer's opinion of its tasks."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from ministack.services import ecs

from sm2a_local_aws.ecs import lookup, steady
from sm2a_local_aws.fargate import stop as ecs_stop
from sm2a_local_aws.patching.points import relies_on

relies_on("ministack.services.ecs", {"_task_ip": "516697de65f4"})


def target_became_healthy(address: str) -> None:
    """Let the deployment of the task at that address complete."""
    task = _service_task_at(address)
    if task is not None:
        steady.confirm(task)


def target_is_unhealthy(address: str) -> None:
    """Replace the task at that address, once its service's grace period is over."""
    task = _service_task_at(address)
    service = lookup.service_of(task) if task is not None else None
    if task is None or service is None:
        return
    running_seconds = time.time() - datetime.fromisoformat(task["startedAt"].replace("Z", "+00:00")).timestamp()
    if running_seconds < float(service.get("healthCheckGracePeriodSeconds") or 0):
        return
    group = service["loadBalancers"][0].get("targetGroupArn", "")
    reason = f"Task failed ELB health checks in (target-group {group})"
    if ecs_stop.begin(task, reason, "ServiceSchedulerInitiated"):
        ecs._record_service_task_failure(task)


def _service_task_at(address: str) -> dict[str, Any] | None:
    for task in list(ecs._tasks.values()):
        if task["lastStatus"] == "RUNNING" and ecs._task_ip(task) == address:
            service = lookup.service_of(task)
            return task if service and service.get("loadBalancers") else None
    return None
