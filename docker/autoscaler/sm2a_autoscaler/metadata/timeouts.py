# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A timeout for every wait for PostgreSQL.

libpq has none of its own: the server enforces statement_timeout, and its kernel answers keepalives even while the
server process hangs, for example on a stalled disk. Without a timeout on this side a tick could block forever.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any

import psycopg2
from psycopg2 import extensions


def wait_at_most(seconds: float) -> Callable[[Any], None]:
    """A psycopg2 wait callback that raises OperationalError when one operation takes longer."""

    def wait(connection: Any) -> None:
        deadline = time.monotonic() + seconds
        while (state := connection.poll()) != extensions.POLL_OK:
            readers = [connection] if state == extensions.POLL_READ else []
            writers = [connection] if state == extensions.POLL_WRITE else []
            if not any(select.select(readers, writers, [], max(0.0, deadline - time.monotonic()))):
                raise psycopg2.OperationalError(f"no answer from the server within {seconds:g} s")

    return wait


def bounded_connect(seconds: float) -> Callable[..., Any]:
    """psycopg2.connect, with a timeout for each answer that applies to all connections of the process."""

    def connect(**parameters: Any) -> Any:
        extensions.set_wait_callback(wait_at_most(seconds))
        return psycopg2.connect(**parameters)

    return connect
