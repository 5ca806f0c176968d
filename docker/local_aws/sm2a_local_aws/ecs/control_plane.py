# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ECS API answers that MiniStack lacks: Service Connect defaults and services of a cluster, exact families."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ecs

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on("ministack.services.ecs", {"_resolve_cluster_name": "10edde4eb14f"})


@replaces("ministack.services.ecs:_put_cluster", "ffb913a6165a")
def put_cluster(original: Handler, data: dict[str, Any]) -> Any:
    """Keep `serviceConnectDefaults` of CreateCluster."""
    cluster = original(data)
    if data.get("serviceConnectDefaults"):
        cluster["serviceConnectDefaults"] = data["serviceConnectDefaults"]
    return cluster


@replaces("ministack.services.ecs:_list_task_definitions", "698e0a5b4e71")
def list_task_definitions(original: Handler, data: dict[str, Any]) -> Any:
    """On AWS `familyPrefix` is the full family name: `sm2a-worker` does not list `sm2a-worker-big`."""
    family = data.get("familyPrefix")
    if not family:
        return original(data)
    wanted = data.get("status", "ACTIVE")
    definitions = [td for td in ecs._task_defs.values() if td["family"] == family and td["status"] == wanted]
    definitions.sort(key=lambda td: td["revision"], reverse=data.get("sort") == "DESC")
    start = int(data.get("nextToken") or 0)
    end = start + int(data.get("maxResults") or 100)
    answer: dict[str, Any] = {"taskDefinitionArns": [td["taskDefinitionArn"] for td in definitions[start:end]]}
    if end < len(definitions):
        answer["nextToken"] = str(end)
    return json_response(answer)


@replaces("ministack.services.ecs:_delete_cluster", "0ff8bca5ea39")
def delete_cluster(original: Handler, data: dict[str, Any]) -> Any:
    """Refuse to delete a cluster that has services, or tasks of none. (On AWS those of removed services count, too.)"""
    name = ecs._resolve_cluster_name(data.get("cluster", "default"))
    if any(key.startswith(f"{name}/") and one["status"] == "ACTIVE" for key, one in ecs._services.items()):
        message = "The Cluster cannot be deleted while Services are active."
        return error_response_json("ClusterContainsServicesException", message, 400)
    if any(_runs_alone_in(name, task) for task in list(ecs._tasks.values())):
        message = "The Cluster cannot be deleted while Tasks are active."
        return error_response_json("ClusterContainsTasksException", message, 400)
    return original(data)


def _runs_alone_in(cluster: str, task: dict[str, Any]) -> bool:
    alone = not str(task.get("group", "")).startswith("service:")
    return alone and task["clusterArn"].endswith(f":cluster/{cluster}") and task["lastStatus"] != "STOPPED"
