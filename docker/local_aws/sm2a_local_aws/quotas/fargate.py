# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks on Fargate for which no vCPU is left are not placed: RunTask says so, a service in its events.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import ecs

from sm2a_local_aws.ecs import lookup
from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.quotas import applied, usage

Handler = Callable[[dict[str, Any]], Any]

ON_DEMAND, SPOT = "L-3032A538", "L-36FBB829"
REASON = "You've reached the limit on the number of vCPUs you can run concurrently"
# A service tries again by itself.
RETRY_SECONDS = 5.0

relies_on(
    "ministack.services.ecs",
    {
        "_iso": "1b9067cd44a0",
        "_launch_choice": "1a004f8f789b",
        "_resolve_cluster_name": "10edde4eb14f",
        "_resolve_td_key": "0cd4ac5c23ce",
        "_task_capacity": "ed0b66eb4980",
        "new_uuid": "1a88ffd41fb7",
    },
)

# One at a time, so that no two take the same vCPU.
_placing = threading.RLock()
# (account, Region, key) of services that try again.
_waiting: set[tuple[str, str, str]] = set()


@replaces(
    "ministack.services.ecs:_run_task",
    "6e96d8f5a5b8",
    over=("ecs.without_engine", "ecs.deployments", "ecs.task_tags", "ecs.capacity"),
)
def run_task(original: Handler, data: dict[str, Any]) -> Any:
    """Place as many of the tasks as there are vCPUs for."""
    definition = ecs._task_defs.get(ecs._resolve_td_key(data.get("taskDefinition") or "")) or {}
    if not definition:
        return original(data)
    with _placing:
        count = int(data.get("count", 1))
        room = max(0, min(count, int(_left(data) / usage.vcpus_of(definition))))
        response = original({**data, "count": room}) if room else json_response({"tasks": [], "failures": []})
    if room == count or response[0] != 200:
        return response
    _tell_service(data)
    answer = json.loads(response[2])
    answer["failures"] += [{"reason": REASON}] * (count - room)
    return json_response(answer)


def _left(data: dict[str, Any]) -> float:
    """How many vCPUs the account may still use of the capacity that the request chooses."""
    cluster = ecs._clusters.get(ecs._resolve_cluster_name(data.get("cluster", "default")) or "")
    launch_type, strategy, _error = ecs._launch_choice(data, cluster)
    _launch_type, provider = ecs._task_capacity(launch_type, strategy)
    spot = usage.is_spot(provider)
    return applied.value_of(SPOT if spot else ON_DEMAND) - usage.vcpus(spot)


def _tell_service(data: dict[str, Any]) -> None:
    """An event of the service that wanted the task, and another attempt later."""
    name = str(data.get("group") or "").removeprefix(lookup.SERVICE_GROUP)
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    key = f"{cluster}/{name}"
    service = ecs._services.get(key)
    if not data.get("_deploymentId") or service is None:
        return
    said = f"(service {name}) was unable to place a task. Reason: {REASON}."
    if not service["events"] or service["events"][0]["message"] != said:
        service["events"].insert(0, {"id": ecs.new_uuid(), "createdAt": ecs._iso(), "message": said})
    scoped = (get_account_id(), get_region(), key)
    if scoped in _waiting:
        return
    _waiting.add(scoped)

    def try_again() -> None:
        threading.Event().wait(RETRY_SECONDS)
        _waiting.discard(scoped)
        ecs._reconcile_service_tasks(cluster, key)

    spawn_background(try_again, thread_name="sm2a-service-without-vcpu")
