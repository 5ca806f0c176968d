# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the local AWS of the stack offers to who operates it, on loopback (docker/local_aws/README.md)."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.stack.settings import PORT


@dataclass(frozen=True)
class TaskCall:
    """That tasks with this role called a service, through this VPC endpoint or over the internet (``""``)."""

    role: str
    service: str
    endpoint: str


def _ask(method: str, path: str, document: Any = None) -> Any:
    body = None if document is None else json.dumps(document).encode()
    address = f"http://127.0.0.1:{PORT}{path}"
    request = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"}, method=method)
    # A proxy of the machine must not see loopback traffic.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.loads(answer.read() or b"{}")


def record_calls() -> None:
    """Keep a trail of API calls (CloudTrail) from now on."""
    _ask("POST", "/_ministack/config", {"cloudtrail._recording_enabled": "true"})


def outage(service: str, seconds: float) -> None:
    """Do not answer for that service for so long."""
    _ask("POST", "/_sm2a/outages", {"service": service, "seconds": seconds})


def task_calls() -> list[TaskCall]:
    """What running tasks have called, each once, since it was forgotten."""
    return [TaskCall(**call) for call in _ask("GET", "/_sm2a/task_calls")]


def forget_task_calls() -> None:
    """Begin that list anew."""
    _ask("DELETE", "/_sm2a/task_calls")
