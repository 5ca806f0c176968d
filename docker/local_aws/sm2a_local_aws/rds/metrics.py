# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The metrics of AWS/RDS that matter most, from the container of each database."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

from docker.errors import DockerException
from ministack.services import rds
from requests.exceptions import RequestException

from sm2a_local_aws import engine, settings
from sm2a_local_aws.rds.containers import container_name

GIBIBYTE = 1024**3
ESTABLISHED = "01"  # in the system's table of sockets
Measured = Iterator[tuple[str, dict[str, str], str, float]]


def measure() -> Measured:
    """CPU, memory, storage and connections of every database that runs."""
    instances = [item for item in list(rds._instances.values()) if item.get("DBInstanceStatus") == "available"]
    if not instances:
        return
    with contextlib.suppress(DockerException, RequestException):
        client = engine.connect(settings.current())
        for instance in instances:
            identifier = instance["DBInstanceIdentifier"]
            dimensions = {"DBInstanceIdentifier": identifier}
            container = client.containers.get(container_name(identifier))
            for name, unit, value in container_metrics(container.stats(stream=False)):
                yield name, dimensions, unit, value
            allocated = int(instance.get("AllocatedStorage") or 0) * GIBIBYTE
            free = shutil.disk_usage(settings.current().state_directory).free
            yield "FreeStorageSpace", dimensions, "Bytes", min(allocated, free) if allocated else free
            sockets = container.exec_run(["cat", "/proc/net/tcp", "/proc/net/tcp6"]).output.decode()
            yield "DatabaseConnections", dimensions, "Count", connections(sockets, instance["Endpoint"]["Port"])


def container_metrics(stats: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Share of CPU since the previous look and memory that is left, from the engine's statistics."""
    now, before = stats.get("cpu_stats") or {}, stats.get("precpu_stats") or {}
    used = _total(now) - _total(before)
    passed = int(now.get("system_cpu_usage") or 0) - int(before.get("system_cpu_usage") or 0)
    if used >= 0 and passed > 0:
        yield "CPUUtilization", "Percent", min(100.0, 100.0 * used / passed * int(now.get("online_cpus") or 1))
    memory = stats.get("memory_stats") or {}
    if memory.get("limit"):
        yield "FreeableMemory", "Bytes", max(0, int(memory["limit"]) - int(memory.get("usage") or 0))


def _total(cpu: dict[str, Any]) -> int:
    return int((cpu.get("cpu_usage") or {}).get("total_usage") or 0)


def connections(sockets: str, port: int) -> int:
    """How many connections to ``port`` are established in the text of /proc/net/tcp and tcp6."""
    rows = (line.split()[1:4] for line in sockets.splitlines())
    return sum(row[0].endswith(f":{port:04X}") and row[2] == ESTABLISHED for row in rows if len(row) == 3)
