# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Stops and resumes a Celery worker's consumption from its queues. All calls are made in the worker's event loop."""

import logging
from typing import Any

log = logging.getLogger(__name__)


class Intake:
    """Cancels the consumers of all queues and resumes them.

    A long poll in progress continues for up to 20 s. kombu returns a message that it still receives to the queue, where
    it is visible at once. While cancelled, a new connection does not consume either.
    """

    def __init__(self) -> None:
        self._cancelled: tuple[str, ...] = ()

    def follow(self, consumer: Any, takes_tasks: bool) -> None:
        """Cancel or resume if necessary. An error is logged, and the next call retries."""
        # Without a task consumer the connection is still being established.
        if takes_tasks == (not self._cancelled) or consumer.task_consumer is None:
            return
        try:
            self._resume(consumer) if takes_tasks else self._cancel(consumer)
        except Exception:
            log.exception("Intake: unexpected error")

    def _cancel(self, consumer: Any) -> None:
        queues = tuple(consumer.app.amqp.queues.consume_from)
        for queue in queues:
            consumer.cancel_task_queue(queue)
        self._cancelled = queues

    def _resume(self, consumer: Any) -> None:
        # Cancelling cleared the worker's selection of queues, from which a new connection consumes.
        consumer.app.amqp.queues.select(self._cancelled)
        for queue in self._cancelled:
            consumer.add_task_queue(queue)
        self._cancelled = ()
