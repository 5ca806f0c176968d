# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The database that MiniStack is making just now: its helpers are not told which one it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sm2a_local_aws import settings


@dataclass
class DatabaseRequest:
    """One DB instance. `failure` is set when its container could not be made."""

    identifier: str
    port: int
    parameter_group: str
    failure: str | None = None

    @property
    def address(self) -> str:
        """Its DNS name on the local AWS's network."""
        return f"{self.identifier}.rds.{settings.current().name}.local"


_current: ContextVar[DatabaseRequest | None] = ContextVar("sm2a_database_request", default=None)


def current() -> DatabaseRequest | None:
    """The request of this thread or its parent, None outside of one."""
    return _current.get()


@contextlib.contextmanager
def making(request: DatabaseRequest) -> Iterator[DatabaseRequest]:
    """Make it the current one."""
    token = _current.set(request)
    try:
        yield request
    finally:
        _current.reset(token)


def of_instance(instance: dict[str, Any]) -> DatabaseRequest:
    """The request that would make an existing instance again."""
    groups = instance.get("DBParameterGroups") or [{}]
    return DatabaseRequest(
        identifier=instance["DBInstanceIdentifier"],
        port=int(instance["Endpoint"]["Port"]),
        parameter_group=groups[0].get("DBParameterGroupName") or "",
    )
