# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Task scale-in protection: the two API calls, its expiry, a scheduler that never stops a protected task, and a rollout
that is in progress for as long as protected tasks of the earlier deployment run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import error_response_json, json_response
from ministack.services import ecs

from sm2a_local_aws.ecs import lookup
from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

DEFAULT_MINUTES = 120
MAXIMUM_MINUTES = 2880
# What MiniStack's scheduler gives as reason when it stops a task of its own accord.
SCALE_IN = "Service scaling down"
REPLACED = "Deployment completed"
SCHEDULER_REASONS = (SCALE_IN, REPLACED, "Task definition updated", "Deployment capacity limit")

relies_on("ministack.services.ecs", {"_primary_deployment": "90248cc9237d", "_deployment_for_task": "fcb7b542d268"})

# task ARN -> when its protection ends, seconds since the epoch
_protected_until: dict[str, float] = {}


def is_protected(task_arn: str) -> bool:
    """Whether the scheduler must leave the task alone just now."""
    return _protected_until.get(task_arn, 0) > time.time()


@replaces("ministack.services.ecs:_update_task_protection", "2870a7f9a4e0")
def update_task_protection(_original: Handler, data: dict[str, Any]) -> Any:
    """UpdateTaskProtection, with the failures that ECS reports."""
    minutes = int(data.get("expiresInMinutes") or DEFAULT_MINUTES)
    if not 1 <= minutes <= MAXIMUM_MINUTES:
        message = f"expiresInMinutes must be between 1 and {MAXIMUM_MINUTES}"
        return error_response_json("InvalidParameterException", message, 400)
    protect = bool(data.get("protectionEnabled"))
    changed, failures = [], []
    for reference in data.get("tasks", []):
        task, failure = _protectable(reference, data.get("cluster", "default"), protect)
        if task is None:
            failures.append(failure)
            continue
        _set_protection(task, 60 * minutes if protect else 0)
        changed.append(_view(task["taskArn"]))
    return json_response({"protectedTasks": changed, "failures": failures})


@replaces("ministack.services.ecs:_get_task_protection", "911c2aec7037")
def get_task_protection(_original: Handler, data: dict[str, Any]) -> Any:
    """GetTaskProtection of the named tasks, or of every task of the cluster."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    references = data.get("tasks") or [
        arn for arn, task in list(ecs._tasks.items()) if lookup.cluster_name(task) == cluster
    ]
    found, failures = [], []
    for reference in references:
        task = ecs._resolve_task(reference, cluster)
        if task is None:
            failures.append({"arn": reference, "reason": "MISSING"})
        elif lookup.service_name(task) is not None:
            found.append(_view(task["taskArn"]))
        elif data.get("tasks"):
            failures.append(_not_a_service_task(task))
    return json_response({"protectedTasks": found, "failures": failures})


@replaces("ministack.services.ecs:_stop_task", "06eb83088bbc", over=("fargate.stop",))
def stop_task(original: Handler, data: dict[str, Any]) -> Any:
    """The scheduler's own stops pass protected tasks by; StopTask by a user does not."""
    if data.get("reason") in SCHEDULER_REASONS and is_protected(data.get("task", "")):
        return json_response({"task": {}})
    return original(data)


@replaces("ministack.services.ecs:_complete_service_deployment", "4472ae6823d0")
def complete_service_deployment(original: Callable[..., None], cluster: str, key: str, **options: Any) -> None:
    """Steady new tasks take the place of the old ones that are not protected; the deployment waits for the others."""
    service = ecs._services.get(key)
    primary = ecs._primary_deployment(service) if service else None
    if service is None or primary is None or service["status"] != "ACTIVE":
        return
    tasks = lookup.tasks_of(service)
    old = [task for task in tasks if ecs._deployment_for_task(service, task) is not primary]
    steady = sum(task.get("_startup_stable", False) for task in tasks if task not in old)
    if not any(is_protected(task["taskArn"]) for task in old):
        original(cluster, key, **options)
    elif primary["rolloutState"] == "IN_PROGRESS" and steady >= service["desiredCount"]:
        for task in old:
            ecs._stop_task({"task": task["taskArn"], "cluster": cluster, "reason": REPLACED})


@replaces("ministack.services.ecs:_reconcile_service_tasks", "16e4d03cbf75", over=("ecs.deployments",))
def reconcile_service_tasks(original: Callable[[str, str], None], cluster: str, key: str) -> None:
    """After a scale-in that passed protected tasks by, stop unprotected ones in their place, newest first."""
    original(cluster, key)
    service = ecs._services.get(key)
    if not service or service["status"] != "ACTIVE":
        return
    primary = ecs._primary_deployment(service)
    tasks = [task for task in lookup.tasks_of(service) if ecs._deployment_for_task(service, task) is primary]
    excess = len(tasks) - int(service["desiredCount"])
    if excess <= 0:
        return
    candidates = [task for task in tasks if not is_protected(task["taskArn"])]
    candidates.sort(key=lambda task: str(task["createdAt"]), reverse=True)
    for task in candidates[:excess]:
        ecs._stop_task({"task": task["taskArn"], "cluster": cluster, "reason": SCALE_IN})


def _protectable(reference: str, cluster: str, protect: bool) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The task, or why its protection cannot be set. Protection ends whenever somebody wants it to."""
    task = ecs._resolve_task(reference, ecs._resolve_cluster_name(cluster))
    if task is None:
        return None, {"arn": reference, "reason": "MISSING"}
    if lookup.service_name(task) is None:
        return None, _not_a_service_task(task)
    if task["desiredStatus"] == "STOPPED":
        return None, {"arn": task["taskArn"], "reason": "TASK_NOT_VALID", "detail": "The task is stopping"}
    service = lookup.service_of(task)
    protected = sum(is_protected(other["taskArn"]) for other in lookup.tasks_of(service)) if service else 0
    if protect and service and protected > service["desiredCount"]:
        detail = "The service has more protected tasks than its desired count"
        return None, {"arn": task["taskArn"], "reason": "DEPLOYMENT_BLOCKED", "detail": detail}
    return task, {}


def _not_a_service_task(task: dict[str, Any]) -> dict[str, Any]:
    return {"arn": task["taskArn"], "reason": "TASK_NOT_VALID", "detail": "The task does not belong to a service"}


def _set_protection(task: dict[str, Any], seconds: int) -> None:
    """Protect for that long; 0 ends it. Then, or when it runs out, the service takes what it is owed."""
    arn = task["taskArn"]
    if seconds:
        _protected_until[arn] = time.time() + seconds
    else:
        _protected_until.pop(arn, None)
    cluster, key = lookup.cluster_name(task), lookup.service_key(task)

    def reconcile() -> None:
        if not is_protected(arn):
            _protected_until.pop(arn, None)
            ecs._reconcile_service_tasks(cluster, key)
            ecs._complete_service_deployment(cluster, key)

    if seconds:
        spawn_background(_after, seconds, reconcile, thread_name="sm2a-protection-expiry")
    else:
        spawn_background(reconcile, thread_name="sm2a-protection-end")


def _after(seconds: float, action: Callable[[], None]) -> None:
    threading.Event().wait(seconds + 0.1)
    action()


def _view(arn: str) -> dict[str, Any]:
    view: dict[str, Any] = {"taskArn": arn, "protectionEnabled": is_protected(arn)}
    if view["protectionEnabled"]:
        view["expirationDate"] = _protected_until[arn]
    return view
