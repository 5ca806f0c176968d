# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The metric of AWS/ECS that matters most: how much of its memory each task of a service uses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from docker.errors import DockerException
from ministack.services import ecs
from requests.exceptions import RequestException

from sm2a_local_aws import engine, settings

MEBIBYTE = 1024**2
# What the kernel can take back at once is not counted; its name differs between the versions of control groups.
CACHE = ("inactive_file", "total_inactive_file")
Measured = Iterator[tuple[str, dict[str, str], str, float]]


def measure() -> Measured:
    """A value for each running task of a service."""
    tasks = [task for task in list(ecs._tasks.values()) if is_counted(task)]
    if not tasks:
        return
    client = engine.connect(settings.current())
    for task in tasks:
        # A container may end meanwhile.
        with contextlib.suppress(DockerException, RequestException):
            used = [used_bytes(client.api.stats(one, stream=False, one_shot=True)) for one in task["_docker_ids"]]
            yield "MemoryUtilization", dimensions(task), "Percent", 100 * sum(used) / (int(task["memory"]) * MEBIBYTE)


def is_counted(task: dict[str, Any]) -> bool:
    """Whether it runs, for a service, with a memory of its own."""
    running = task.get("lastStatus") == "RUNNING" and bool(task.get("_docker_ids"))
    return running and str(task.get("group", "")).startswith("service:") and bool(task.get("memory"))


def dimensions(task: dict[str, Any]) -> dict[str, str]:
    """Those of the task's service."""
    return {
        "ClusterName": str(task["clusterArn"]).rsplit("/", 1)[-1],
        "ServiceName": str(task["group"]).partition(":")[2],
    }


def used_bytes(stats: dict[str, Any]) -> int:
    """Memory of a container, from the engine's statistics."""
    memory = stats.get("memory_stats") or {}
    details = memory.get("stats") or {}
    cache = next((int(details[name]) for name in CACHE if name in details), 0)
    return max(0, int(memory.get("usage") or 0) - cache)
