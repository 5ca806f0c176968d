# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A resource that was made is in another state for as long as AWS takes, then in its final one.

The file of `--waiting-times` is JSON: seconds by what waits. `--time-scale` multiplies all of them. Each wait is
written, as it begins, to `waits.jsonl` in the state directory, a line of JSON: what, identifier, began (Unix time),
seconds.
"""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import spawn_background

from sm2a_local_aws import settings

Record = dict[str, Any]

LOOK_SECONDS = 0.1


@functools.cache
def _table() -> dict[str, float]:
    file = settings.current().waiting_times
    return {str(what): float(seconds) for what, seconds in json.loads(file.read_text()).items()} if file else {}


def seconds_of(what: str) -> float:
    """How long that takes here, scaled; 0 for what the file does not name."""
    return _table().get(what, 0.0) * settings.current().time_scale


def hold(record: Record, field: str, between: str, what: str, identifier: str) -> None:
    """Put `between` into the field of a record that was just made; what it holds now is back when the wait is over.

    Unless something else was written there meanwhile, such as the state of a deletion.
    """
    final = record[field]

    def end() -> None:
        if record.get(field) == between:
            record[field] = final

    if seconds_of(what):
        record[field] = between
    begin(what, identifier, end)


def begin(what: str, identifier: str, end: Callable[[], None]) -> None:
    """Write the wait down, and call `end` when it is over; at once when it takes no time."""
    seconds = seconds_of(what)
    _note(what, identifier, seconds)
    if not seconds:
        end()
        return

    def wait() -> None:
        threading.Event().wait(seconds)
        end()

    spawn_background(wait, thread_name=f"sm2a-wait-{what}")


def wait_while(condition: Callable[[], bool]) -> None:
    """Return when the condition no longer holds; for threads that `begin` started."""
    while condition():
        threading.Event().wait(LOOK_SECONDS)


def _note(what: str, identifier: str, seconds: float) -> None:
    line = {"what": what, "identifier": identifier, "began": time.time(), "seconds": seconds}
    with settings.current().waits_file.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
