# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Follow the deployments of ECS services until all are steady or one has failed.

A worker that runs tasks holds scale-in protection, and ECS keeps it beside its successors for as long as that lasts,
which may be hours. A deployment that waits for nothing else is as good as complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.waiters import wait_until
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.compare import primary_deployment, revision_name
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.stopped_tasks import Reader, sentence

EVENTS_SHOWN = 3


class DeploymentFailedError(Exception):
    """ECS gave a deployment up, or replaced it; the text says how."""


@dataclass(frozen=True)
class Target:
    """The deployment that one service must complete; ``count_tasks`` when it was started or resized just now."""

    service: str
    deployment: str
    count_tasks: bool


def is_steady(service: Mapping[str, Any], target: Target) -> bool:
    """Whether the target deployment is complete; DeploymentFailedError when it can no longer be.

    ECS rolls back by making the earlier revision the primary deployment again, under a new id.
    """
    if not service:
        raise DeploymentFailedError("ECS has no such service")
    primary = primary_deployment(service)
    ours: Mapping[str, Any] = next(
        (item for item in service.get("deployments") or [] if item.get("id") == target.deployment), {}
    )
    if ours.get("rolloutState") == "FAILED":
        raise DeploymentFailedError(f"the deployment failed: {ours.get('rolloutStateReason') or 'no reason given'}")
    if primary.get("id", "") != target.deployment:
        revision = revision_name(str(primary.get("taskDefinition", "")))
        raise DeploymentFailedError(f"the deployment was rolled back or replaced; the service now uses {revision}")
    if primary.get("rolloutState", "COMPLETED") != "COMPLETED":
        return False
    return not target.count_tasks or service["runningCount"] >= service["desiredCount"]


def finishing_count(service: Mapping[str, Any]) -> int:
    """How many tasks of earlier deployments still run."""
    return sum(item.get("runningCount", 0) for item in service.get("deployments") or [] if item["status"] != "PRIMARY")


def waits_for_protected(ecs: Any, cluster: str, service: Mapping[str, Any]) -> bool:
    """Whether all tasks of the current deployment are healthy and all others hold scale-in protection."""
    primary = primary_deployment(service)
    if not finishing_count(service) or primary["runningCount"] < service["desiredCount"]:
        return False
    arns = api.list_tasks(ecs, cluster=cluster, serviceName=service["serviceName"])
    tasks = [task for task in api.describe_tasks(ecs, cluster, arns) if task["desiredStatus"] == "RUNNING"]
    healthy = [task["healthStatus"] == "HEALTHY" for task in tasks if task.get("startedBy") == primary["id"]]
    others = [task["taskArn"] for task in tasks if task.get("startedBy") != primary["id"]]
    return sum(healthy) >= service["desiredCount"] and api.protected_tasks(ecs, cluster, others) == set(others)


def wait_steady(reader: Reader, cluster: str, targets: list[Target], delay: int, timeout: int) -> dict[str, Any]:
    """Wait for all targets together and return their services by name.

    AnsibleAWSError as soon as one has failed, or after ``timeout`` seconds, with the reason of each unfinished one.
    """
    services: dict[str, Any] = {}
    failures: dict[str, str] = {}
    waiting: list[Target] = []

    def settled() -> bool:
        services.update(api.describe_services(reader.ecs, cluster, [target.service for target in targets]))
        waiting.clear()
        for target in targets:
            service = services.get(target.service, {})
            try:
                if not is_steady(service, target) and not waits_for_protected(reader.ecs, cluster, service):
                    waiting.append(target)
            except DeploymentFailedError as error:
                failures[target.service] = str(error)
        return bool(failures) or not waiting

    def state() -> str:
        return ", ".join(running(target.service, services.get(target.service, {})) for target in waiting)

    in_time = wait_until(settled, delay, timeout, state)
    if not in_time:
        failures.update({target.service: f"not steady after {timeout} seconds" for target in waiting})
    if failures:
        explained = [target for target in targets if target.service in failures]
        messages = [explain(reader, cluster, target, failures[target.service], services) for target in explained]
        raise AnsibleAWSError(message="\n".join(messages))
    return services


def running(name: str, service: Mapping[str, Any]) -> str:
    """How many of the wanted tasks of a service's new deployment run."""
    new: dict[str, Any] = next((one for one in service.get("deployments", []) if one["status"] == "PRIMARY"), {})
    return f"service {name} has {new.get('runningCount', 0)} of {new.get('desiredCount', 0)} new tasks"


def explain(reader: Reader, cluster: str, target: Target, failure: str, services: Mapping[str, Any]) -> str:
    """One service's failure with the end of its latest failed task, or else its latest events."""
    end = reader.failure_of_service(cluster, target.service, target.deployment)
    if end:
        return f"Service {target.service}: {failure}: {sentence(end)}"
    events = [item["message"] for item in services.get(target.service, {}).get("events") or []][:EVENTS_SHOWN]
    return f"Service {target.service}: {failure}" + (f". Latest events: {' / '.join(events)}" if events else "")


def wait_gone(ecs: Any, cluster: str, names: list[str], delay: int, timeout: int) -> None:
    """Wait until no service of ``names`` is ACTIVE or DRAINING; AnsibleAWSError naming those that are."""
    left: list[str] = []

    def gone() -> bool:
        left[:] = api.describe_services(ecs, cluster, names)
        return not left

    if not wait_until(gone, delay, timeout, lambda: f"still draining: {', '.join(sorted(left))}"):
        raise AnsibleAWSError(message=f"Still draining after {timeout} seconds: {', '.join(sorted(left))}")
