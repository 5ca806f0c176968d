# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Kombu's transport for SQS, with two differences.

A message that cannot be parsed goes to the dead-letter queue. In kombu and Celery such a message, which every sender to
the queue can write, raises errors of all kinds in the event loop; each would end the worker, and with it every task
that it runs.

A worker that had no free slot asks for the next message as soon as one is free. Kombu checks for a free slot only
once in each `polling_interval`, so that a slot stays empty for half a second after each task.
"""

import logging
from typing import Any

from kombu.transport import SQS

log = logging.getLogger(__name__)

# SQS moves it away when it has been received `broker_max_receive_count` times.
AGAIN_SECONDS = 30
# Between two checks for a free slot that was not reported.
SLOT_CHECK_SECONDS = 1.0


class Channel(SQS.Channel):  # type: ignore[misc]  # kombu has no types
    """Returns messages that cannot be parsed to the queue, and polls again as soon as a slot is free."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # Queues that are not polled, because no slot is free; each with the timer of the next check.
        self._full: dict[str, Any] = {}
        super().__init__(*arguments, **options)

    def _schedule_queue(self, queue: str) -> None:
        """Called to start the next long poll of a queue; each poll causes the next call."""
        if queue in self._active_queues and not self.qos.can_consume():
            self._full[queue] = self.hub.call_later(SLOT_CHECK_SECONDS, self._check_again, queue)
        else:
            super()._schedule_queue(queue)

    def _check_again(self, queue: str) -> None:
        """Resume a queue. Of timer and free slot, the second to call this finds nothing to do."""
        timer = self._full.pop(queue, None)
        if timer is not None:
            timer.cancel()
            self._schedule_queue(queue)

    def _slot_is_free(self) -> None:
        # In the next round of the event loop: tasks that ended together are followed by one poll.
        for queue in self._full:
            self.hub.call_soon(self._check_again, queue)

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Called when a task has ended."""
        try:
            super().basic_ack(delivery_tag, multiple)
        finally:
            self._slot_is_free()

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Called when a message is rejected, or its task could not be acknowledged."""
        try:
            super().basic_reject(delivery_tag, requeue)
        finally:
            self._slot_is_free()

    def _on_messages_ready(self, queue: str, qname: str, messages: dict[str, Any]) -> int:
        """Called with the answer of a long poll."""
        received = messages.get("Messages") or []
        for message in received:
            try:
                super()._on_messages_ready(queue, qname, {"Messages": [message]})
            except self.connection.connection_errors:
                raise
            except Exception as error:
                log.error("Message %s of %s is refused: %.300r", message["MessageId"], qname, error)
                self._give_back(queue, qname, message["ReceiptHandle"])
        return len(received)

    def _give_back(self, queue: str, qname: str, handle: str) -> None:
        # Celery must not count it among the messages that it holds.
        self.qos._delivered.pop(handle, None)
        try:
            self.sqs(queue=self.canonical_queue_name(qname)).change_message_visibility(
                QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=AGAIN_SECONDS
            )
        except Exception as error:
            # It comes back after its visibility timeout.
            log.warning("A refused message of %s cannot be given back: %s", qname, error)


class Transport(SQS.Transport):  # type: ignore[misc]  # kombu has no types
    """With this channel."""

    Channel = Channel
