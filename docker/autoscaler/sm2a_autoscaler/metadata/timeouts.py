# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""A bound on every wait for the database.

libpq has none of its own: statement_timeout is kept by the server, and keepalives are answered by its kernel even while
the server itself is stuck, for instance on a stalled disk. Without a bound a tick could last for ever.
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
    """psycopg2.connect for a process whose every connection waits at most that long for each answer."""

    def connect(**parameters: Any) -> Any:
        extensions.set_wait_callback(wait_at_most(seconds))
        return psycopg2.connect(**parameters)

    return connect
