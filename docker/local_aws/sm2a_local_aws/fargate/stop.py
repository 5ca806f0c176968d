# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Stopping a task as ECS does: SIGTERM to PID 1, the container's stopTimeout, SIGKILL, real exit codes.

The task is DEACTIVATING at once, STOPPING while its containers end, STOPPED when they are gone.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from docker.errors import DockerException
from ministack.core.concurrency import resource_lock, spawn_background
from ministack.core.responses import error_response_json, json_response
from ministack.services import ecs, ecs_metadata

from sm2a_local_aws.ecs import lookup as ecs_lookup
from sm2a_local_aws.fargate import awslogs
from sm2a_local_aws.patching.points import relies_on, replaces

logger = logging.getLogger("sm2a.ecs_stop")

Task = dict[str, Any]

DEFAULT_STOP_TIMEOUT_SECONDS = 30
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
# MiniStack's own reasons for a stop by its scheduler.
SCHEDULER_REASONS = (
    "Service scaling down",
    "Deployment completed",
    "Task definition updated",
    "Deployment capacity limit",
    "Service deleted",
)

relies_on(
    "ministack.services.ecs",
    {
        "_bump_task_version": "a211c6605bca",
        "_task_is_active": "9745462eeaeb",
        "_resolve_task": "8656d47efbba",
        "_refresh_service_state": "5dcadfc2dcdd",
        "_recount_cluster": "3df63f5702ba",
        "_sanitize": "f41cdce9258f",
    },
)


@replaces("ministack.services.ecs:_stop_task", "06eb83088bbc")
def stop_task(_original: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    """StopTask, and the scheduler's stops; it answers while the task is still stopping."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    if cluster is None:
        return error_response_json("ClusterNotFoundException", "Cluster not found.", 400)
    task = ecs._resolve_task(data.get("task", ""), cluster)
    if not task:
        return error_response_json("InvalidParameterException", "The referenced task was not found.", 400)
    reason = data.get("reason") or "Task stopped by user"
    if reason in SCHEDULER_REASONS:
        deployment = task.get("_deployment_id") or "unknown"
        begin(task, f"Scaling activity initiated by (deployment {deployment})", "ServiceSchedulerInitiated")
    else:
        begin(task, reason, "UserInitiated")
    return json_response({"task": ecs._sanitize(task)})


def begin(task: Task, reason: str, stop_code: str) -> bool:
    """Tell the task to stop, in the background; False when it was told before."""
    arn = task["taskArn"]
    with resource_lock("ecs-task", arn):
        if not ecs._task_is_active(arn, task):
            return False
        ecs._bump_task_version(task)
        task.update(
            desiredStatus="STOPPED",
            lastStatus="DEACTIVATING",
            stoppingAt=ecs._iso(),
            stoppedReason=reason,
            stopCode=stop_code,
        )
    ecs_metadata.set_task_status(arn, known_status="DEACTIVATING", desired_status="STOPPED")
    _recount(task)
    spawn_background(_drain, task, thread_name=f"sm2a-stop-{arn[-8:]}")
    return True


def _drain(task: Task) -> None:
    client = ecs._get_docker()
    task["lastStatus"] = "STOPPING"
    timeouts = {
        definition["name"]: int(definition.get("stopTimeout") or DEFAULT_STOP_TIMEOUT_SECONDS)
        for definition in ecs_lookup.task_definition_of(task).get("containerDefinitions", [])
    }
    stops = [
        threading.Thread(target=_stop_container, args=(client, container_id, record, timeouts.get(record["name"], 30)))
        for container_id, record in zip(list(task.get("_docker_ids") or []), task["containers"], strict=False)
    ]
    for stop in stops:
        stop.start()
    for stop in stops:
        stop.join()
    remove_containers(client, task)
    _finish(task)


def _stop_container(client: Any, container_id: str, record: dict[str, Any], timeout: int) -> None:
    try:
        client.api.stop(container_id, timeout=timeout)
        record_exit(client, container_id, record)
    except DockerException as error:
        logger.warning("container %s did not stop: %s", container_id[:12], error)
        record["lastStatus"] = "STOPPED"


def record_exit(client: Any, container_id: str, record: dict[str, Any]) -> None:
    """Note how the container ended on its record of the task."""
    state = client.api.inspect_container(container_id)["State"]
    record["exitCode"] = state["ExitCode"]
    record["lastStatus"] = "STOPPED"
    if state.get("OOMKilled"):
        record["reason"] = OUT_OF_MEMORY


def remove_containers(client: Any, task: Task) -> None:
    """Remove the task's containers, its network namespace and its volumes, after their last log lines were read."""
    with resource_lock("ecs-task", task["taskArn"]):
        container_ids, tokens = list(task.get("_docker_ids") or []), list(task.get("_metadata_tokens") or [])
        task.update(_docker_ids=[], _metadata_tokens=[])
    for token in tokens:
        ecs_metadata.unregister_token(token)
    for container_id in container_ids:
        awslogs.wait_for_end(container_id)
    for container_id in filter(None, [*container_ids, task.pop("_network_container", None)]):
        with contextlib.suppress(DockerException):
            client.api.remove_container(container_id, v=True, force=True)
    for volume in task.pop("_volumes", []):
        with contextlib.suppress(DockerException):
            client.api.remove_volume(volume, force=True)


def _finish(task: Task) -> None:
    with resource_lock("ecs-task", task["taskArn"]):
        now = ecs._iso()
        ecs._bump_task_version(task)
        ecs._bump_task_version(task)
        task.update(lastStatus="STOPPED", stoppedAt=now, executionStoppedAt=now)
        for record in task["containers"]:
            record["lastStatus"] = "STOPPED"
    _recount(task)


def _recount(task: Task) -> None:
    cluster = ecs_lookup.cluster_name(task)
    ecs._recount_cluster(cluster)
    ecs._refresh_service_state(cluster, task.get("group", ""))


@replaces("ministack.services.ecs:_cleanup_task_resources", "077c78a7702a")
def cleanup_task_resources(original: Callable[..., None], task: Task, client: Any, extra_container: Any = None) -> None:
    """What MiniStack calls when a start fails: the network namespace and the volumes go as well."""
    original(task, client, extra_container)
    if client is not None and task["lastStatus"] == "STOPPED":
        remove_containers(client, task)
