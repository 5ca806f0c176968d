# Copyright: SM2A contributors
# Apache License 2.0
"""Whether a Celery worker consumes from its queues. Every call is made in the worker's event loop."""

import logging
from typing import Any

log = logging.getLogger(__name__)


class Intake:
    """Cancels the consumer of every queue and takes it up again.

    A long poll that is under way goes on for up to 20 s: kombu gives a message that it then still receives back to the
    queue, visible at once. While cancelled, a new connection does not consume either.
    """

    def __init__(self) -> None:
        self._cancelled: tuple[str, ...] = ()

    def follow(self, consumer: Any, takes_tasks: bool) -> None:
        """Make it so, when it is not. A failure is logged and tried again with the next call."""
        # Without a task consumer the connection is just being made.
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
        # The worker's selection of queues, which cancelling has emptied; a new connection consumes from these.
        consumer.app.amqp.queues.select(self._cancelled)
        for queue in self._cancelled:
            consumer.add_task_queue(queue)
        self._cancelled = ()
