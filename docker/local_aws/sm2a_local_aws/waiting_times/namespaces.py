# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Cloud Map: the operation that creates a namespace is pending at first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import servicediscovery

from sm2a_local_aws.patching.points import replaces
from sm2a_local_aws.waiting_times import states


@replaces("ministack.services.servicediscovery:_create_operation", "f2b3078b4f9e")
def create_operation(original: Callable[..., str], kind: str, targets: dict[str, str] | None = None) -> str:
    """Other operations succeed at once."""
    identifier = original(kind, targets)
    if kind == "CREATE_NAMESPACE":
        operation: dict[str, Any] = servicediscovery._operations[identifier]
        states.hold(operation, "Status", "PENDING", "namespace", (targets or {}).get("NAMESPACE", identifier))
    return identifier
