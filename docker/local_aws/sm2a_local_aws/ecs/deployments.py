# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Service deployments: one from the first, restarts with back-off, and what a deployment remembers.

A created service starts with a deployment IN_PROGRESS, so that its circuit breaker fires too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from sm2a_local_aws.ecs import lookup, steady
from sm2a_local_aws.patching.points import replaces

Handler = Callable[[dict[str, Any]], Any]
ServiceKey = tuple[str, str, str]
Task = dict[str, Any]

# A container that ran this long started well, where no health check says more (seconds).
STEADY_SECONDS = 2.0
FIRST_BACK_OFF_SECONDS = 1.0
LONGEST_BACK_OFF_SECONDS = 60.0

# MiniStack drops these; ECS shows them on the service, or (second line) on its deployments.
SERVICE_FIELDS = ("availabilityZoneRebalancing", "enableECSManagedTags", "propagateTags")
DEPLOYMENT_FIELDS = ("serviceConnectConfiguration", "volumeConfigurations", "networkConfiguration", "platformVersion")
# A change of one of these starts a new deployment on ECS.
REDEPLOYING_FIELDS = (*DEPLOYMENT_FIELDS, "loadBalancers", "capacityProviderStrategy")

ecs._ECS_DEPLOYMENT_STEADY_DELAY = STEADY_SECONDS


@dataclass
class BackOff:
    """How often in a row a service's tasks failed, and when the next may start (monotonic seconds)."""

    failures: int = 0
    until: float = 0.0


_back_off: dict[ServiceKey, BackOff] = {}
# What a CreateService or UpdateService asked for, until the service's record exists.
_requested: dict[ServiceKey, dict[str, Any]] = {}


def _scoped(key: str) -> ServiceKey:
    return get_account_id(), get_region(), key


@replaces("ministack.services.ecs:_make_deployment", "5660a8c0ef36")
def make_deployment(original: Callable[..., dict[str, Any]], *arguments: Any, **options: Any) -> dict[str, Any]:
    """A new deployment is in progress until its tasks are steady, the first one of a service as well."""
    deployment = original(*arguments, **options)
    deployment["rolloutState"] = "IN_PROGRESS"
    deployment["rolloutStateReason"] = f"ECS deployment {deployment['id']} in progress."
    return deployment


@replaces("ministack.services.ecs:_run_task", "6e96d8f5a5b8", over=("ecs.without_engine",))
def run_task(original: Handler, data: dict[str, Any]) -> Any:
    """A service's tasks are started by one of its deployments."""
    return original({**data, "startedBy": data["_deploymentId"]} if data.get("_deploymentId") else data)


@replaces("ministack.services.ecs:_create_service", "8bc82a13551c")
def create_service(original: Handler, data: dict[str, Any]) -> Any:
    """Keep the fields that MiniStack drops."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    scoped = _scoped(f"{cluster}/{data.get('serviceName')}")
    existing = ecs._services.get(scoped[2])
    if existing is None or existing["status"] != "ACTIVE":
        _back_off.pop(scoped, None)
        _requested[scoped] = {field: data[field] for field in SERVICE_FIELDS + DEPLOYMENT_FIELDS if field in data}
    try:
        return original(data)
    finally:
        _requested.pop(scoped, None)


@replaces("ministack.services.ecs:_update_service", "bde69c11b50d")
def update_service(original: Handler, data: dict[str, Any]) -> Any:
    """Keep the fields that MiniStack drops, and redeploy when one changes that tasks are made from."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    reference = ecs._resolve_service_ref(data.get("service", ""))
    key = f"{cluster}/{reference[0]}" if reference else ""
    service = ecs._services.get(key)
    if service is None:
        return original(data)
    _back_off.pop(_scoped(key), None)
    _drop_failed_deployments(service)
    if any(field in data and not _same(service, field, data[field]) for field in REDEPLOYING_FIELDS):
        data = {**data, "forceNewDeployment": True}
    asked = {field: data[field] for field in SERVICE_FIELDS + DEPLOYMENT_FIELDS if field in data}
    _requested[_scoped(key)] = {**service.get("_deployment_fields", {}), **asked}
    try:
        return original(data)
    finally:
        _requested.pop(_scoped(key), None)


def _drop_failed_deployments(service: dict[str, Any]) -> None:
    """MiniStack keeps a failed deployment for ever; it is shown until the next update, so that it can be read."""
    live = {task.get("_deployment_id") for task in lookup.tasks_of(service)}
    service["deployments"] = [
        deployment
        for deployment in service["deployments"]
        if deployment["status"] == "PRIMARY" or deployment["rolloutState"] != "FAILED" or deployment["id"] in live
    ]


def _same(service: dict[str, Any], field: str, asked: Any) -> bool:
    known = service.get("_deployment_fields", {})
    return bool((known.get(field, service.get(field)) or None) == (asked or None))


@replaces("ministack.services.ecs:_reconcile_service_tasks", "16e4d03cbf75")
def reconcile_service_tasks(original: Callable[[str, str], None], cluster: str, key: str) -> None:
    """Store what was asked for before tasks start; start none while the service's tasks fail too fast."""
    service = ecs._services.get(key)
    scoped = _scoped(key)
    if service is not None and scoped in _requested:
        _store(service, _requested[scoped])
    back_off = _back_off.get(scoped)
    if back_off is None or back_off.until <= time.monotonic():
        original(cluster, key)


def _store(service: dict[str, Any], asked: dict[str, Any]) -> None:
    service.update({field: asked[field] for field in SERVICE_FIELDS if field in asked})
    kept = {field: asked[field] for field in DEPLOYMENT_FIELDS if field in asked}
    service["_deployment_fields"] = kept
    primary = ecs._primary_deployment(service)
    if primary:
        primary.update(kept)


@replaces("ministack.services.ecs:_record_service_task_failure", "1f0fff5d229f")
def record_service_task_failure(original: Callable[..., None], task: Task, **options: Any) -> None:
    """Wait before the next start: 1, 2, 4 ... 60 seconds after consecutive failures."""
    key = lookup.service_key(task)
    if key is None:
        return
    back_off = _back_off.setdefault(_scoped(key), BackOff())
    back_off.failures += 1
    delay = min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS * 2 ** (back_off.failures - 1))
    back_off.until = time.monotonic() + delay
    original(task, **options)

    def try_again() -> None:
        threading.Event().wait(delay)
        ecs._reconcile_service_tasks(lookup.cluster_name(task), key)

    spawn_background(try_again, thread_name="sm2a-service-back-off")


@replaces("ministack.services.ecs:_record_service_task_healthy", "ab75f8df0ba5")
def record_service_task_healthy(original: Callable[[str, Task], None], key: str, task: Task) -> None:
    """A task is steady once its health checks pass as well; that ends the back-off."""
    if not steady.passes_its_checks(task):
        return
    original(key, task)
    if task.get("_startup_stable"):
        _back_off.pop(_scoped(key), None)
