# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ECS API answers that MiniStack lacks: cluster Service Connect defaults, exact task definition families."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import ecs

from sm2a_local_aws.patching.points import replaces

Handler = Callable[[dict[str, Any]], Any]


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
