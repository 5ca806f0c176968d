# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The long polls of SQS that are under way when a worker ends.

Celery cancels its consumers and leaves the event loop at once, but SQS still holds such a poll open and may answer it
with a message, which nobody reads then: it stays hidden for the whole visibility timeout of the queue. When the poll
is read to its end, kombu gives a message for which it has no consumer back to the queue, visible at once.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from kombu.asynchronous.http import get_client

log = logging.getLogger(__name__)

# A long poll lasts 20 s at most.
LONGEST_SECONDS = 25.0


def under_way(hub: Any) -> int:
    """HTTP requests of kombu on that event loop that are not answered yet."""
    client = get_client(hub)
    return int(client.max_clients) - len(client._free_list) + len(client._pending)


def finish(hub: Any, is_ended: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
    """Run the event loop until no poll is under way. ``is_ended`` tells that there is no time left for that."""
    deadline = clock() + LONGEST_SECONDS
    loop = hub.create_loop()
    while (left := under_way(hub)) and clock() < deadline and not is_ended():
        next(loop)
    if left:
        log.warning("Last polls: %d are not answered yet", left)
