# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Tasks get the tags of their service when they start, if it says so; MiniStack gives them none.

Policies tell workers by them, so without these tags a worker could not even protect itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ecs

from sm2a_local_aws.patching import replaces

SERVICE_GROUP = "service:"


@replaces("ministack.services.ecs:_run_task", "6e96d8f5a5b8")
def run_task(original: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    """Add the tags of the service that starts the task."""
    return original({**data, "tags": [*data.get("tags", []), *_service_tags(data)]})


def _service_tags(data: dict[str, Any]) -> list[dict[str, str]]:
    """What the service propagates, as it is now: running tasks keep what they have."""
    group = str(data.get("group", ""))
    if not data.get("_deploymentId") or not group.startswith(SERVICE_GROUP):
        return []
    name = group.removeprefix(SERVICE_GROUP)
    service = ecs._services.get(f"{ecs._resolve_cluster_name(data.get('cluster', 'default'))}/{name}")
    if service is None or service.get("propagateTags") != "SERVICE":
        return []
    return list(ecs._tags.get(service["serviceArn"], []))
