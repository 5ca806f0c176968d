# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""When a service's task counts as steady: it runs, its container health checks and its target health checks pass."""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import alb, ecs

from sm2a_local_aws.ecs import lookup
from sm2a_local_aws.elbv2 import target_health
from sm2a_local_aws.patching.points import relies_on

Task = dict[str, Any]

relies_on(
    "ministack.services.ecs", {"_schedule_service_deployment_completion": "938eb06d6faf", "_task_ip": "516697de65f4"}
)


def passes_its_checks(task: Task) -> bool:
    """Whether no check of the task still waits for a success."""
    definitions = lookup.task_definition_of(task).get("containerDefinitions", [])
    checked = any(definition.get("healthCheck") for definition in definitions)
    return (not checked or task["healthStatus"] == "HEALTHY") and _targets_are_healthy(task)


def confirm(task: Task) -> None:
    """Look at the task's deployment again: one of its checks passed just now."""
    key = lookup.service_key(task)
    if key is not None and task["lastStatus"] == "RUNNING":
        ecs._schedule_service_deployment_completion(
            lookup.cluster_name(task), key, get_account_id(), get_region(), healthy_task=task
        )


def _targets_are_healthy(task: Task) -> bool:
    service = lookup.service_of(task) or {}
    for entry in service.get("loadBalancers") or []:
        group = alb._tgs.get(entry.get("targetGroupArn"))
        if group is None:
            continue
        target = {"Id": ecs._task_ip(task), "Port": entry.get("containerPort")}
        if target_health.state(group, target).status != target_health.HEALTHY:
            return False
    return True
