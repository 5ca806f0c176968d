# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tags of tasks that come from their service or task definition (propagateTags), which policies ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ecs

from sm2a_local_aws.ecs import lookup
from sm2a_local_aws.patching.points import replaces


@replaces("ministack.services.ecs:_run_task", "6e96d8f5a5b8", over=("ecs.without_engine", "ecs.deployments"))
def run_task(original: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    """Give the task what it is to get besides the tags of the call, which come first."""
    own = data.get("tags") or []
    keys = {tag["key"] for tag in own}
    more = [tag for tag in _propagated(data) if tag["key"] not in keys]
    return original({**data, "tags": [*own, *more]} if more else data)


def _propagated(data: dict[str, Any]) -> list[dict[str, str]]:
    group = str(data.get("group") or "")
    service = None
    if group.startswith(lookup.SERVICE_GROUP):
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        service = ecs._services.get(f"{cluster}/{group.removeprefix(lookup.SERVICE_GROUP)}")
    source = service["propagateTags"] if service else data.get("propagateTags")
    if source == "SERVICE" and service:
        return ecs._tags.get(service["serviceArn"]) or []
    if source == "TASK_DEFINITION":
        name = str(data.get("taskDefinition", "")).rpartition("/")[2]
        newest = name if ":" in name else f"{name}:{ecs._task_def_latest.get(name)}"
        definition = ecs._task_defs.get(newest)
        return (ecs._tags.get(definition["taskDefinitionArn"]) or []) if definition else []
    return []
