# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks whose containers exit by themselves, told by the engine's event stream (polling each container costs CPU)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from docker.errors import DockerException
from ministack.core.responses import request_scope
from ministack.services import ecs
from requests.exceptions import RequestException

from sm2a_local_aws import settings
from sm2a_local_aws.ecs import lookup as ecs_lookup
from sm2a_local_aws.fargate import stop
from sm2a_local_aws.patching.points import replaces

logger = logging.getLogger("sm2a.ecs_exit_watch")

Task = dict[str, Any]

ESSENTIAL_EXITED = "Essential container in task exited"
RECONNECT_SECONDS = 1.0
# A look at every container this often, should an event get lost.
SWEEP_SECONDS = 15.0


@replaces("ministack.services.ecs:_watch_task_lifecycle", "96817b678967")
def watch_task_lifecycle(_original: Callable[..., None], task: Task, client: Any, account_id: str, region: str) -> None:
    """Called when a task runs: notice exits that came before that, and let its deployment complete."""
    observe(client, task)
    key = ecs_lookup.service_key(task)
    if key is not None:
        ecs._schedule_service_deployment_completion(
            ecs_lookup.cluster_name(task), key, account_id, region, healthy_task=task
        )


@replaces("ministack.services.ecs:_maybe_mark_stopped", "c9797b050da2")
def maybe_mark_stopped(_original: Callable[..., None], *_arguments: Any) -> None:
    """DescribeTasks and ListTasks need not ask the engine: the event stream does."""


def start() -> None:
    """Follow the engine's events in the background for the life of the process."""
    threading.Thread(target=_follow_events, name="sm2a-engine-events", daemon=True).start()
    threading.Thread(target=_sweep_forever, name="sm2a-exit-sweep", daemon=True).start()


def observe(client: Any, task: Task) -> None:
    """Note which containers exited; stop the task when an essential one did, or all."""
    if task["desiredStatus"] == "STOPPED" or task["lastStatus"] != "RUNNING":
        return
    essentials = task["_container_essentials"]
    ended = False
    for index, container_id in enumerate(list(task.get("_docker_ids") or [])):
        record = task["containers"][index]
        if record["lastStatus"] != "STOPPED" and not client.api.inspect_container(container_id)["State"]["Running"]:
            stop.record_exit(client, container_id, record)
        ended = ended or (record["lastStatus"] == "STOPPED" and essentials[index])
    if not ended and any(record["lastStatus"] != "STOPPED" for record in task["containers"]):
        return
    if stop.begin(task, ESSENTIAL_EXITED, "EssentialContainerExited"):
        ecs._record_service_task_failure(task)


def _follow_events() -> None:
    client = ecs._get_docker()
    labels = [f"{name}={value}" for name, value in settings.current().labels.items()]
    filters = {"type": "container", "event": ["die", "died"], "label": labels}
    while True:
        try:
            for event in client.api.events(decode=True, filters=filters):
                container_id = event.get("id") or event.get("Actor", {}).get("ID")
                _observe(client, container_id)
        except (DockerException, RequestException, ValueError) as error:
            logger.warning("the engine's event stream broke off: %s", error)
        threading.Event().wait(RECONNECT_SECONDS)


def _sweep_forever() -> None:
    client = ecs._get_docker()
    while True:
        threading.Event().wait(SWEEP_SECONDS)
        _observe(client)


def _observe(client: Any, container_id: str | None = None) -> None:
    """Observe the task of that container, or every task."""
    for account_id, region, task in ecs_lookup.all_tasks():
        if container_id is not None and container_id not in (task.get("_docker_ids") or []):
            continue
        try:
            with request_scope(account_id, region):
                observe(client, task)
        except DockerException as error:
            logger.warning("cannot look at the containers of task %s: %s", task["taskArn"], error)
