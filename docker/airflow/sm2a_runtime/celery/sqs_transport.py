# Copyright: SM2A contributors
# Apache License 2.0
"""Kombu's transport for SQS, where a message that cannot be understood goes to the dead-letter queue.

In kombu and Celery such a message, which anybody may write who may send to the queue, raises errors of all kinds in the
event loop; each would end the worker, and with it every task that it runs.
"""

import logging
from typing import Any

from kombu.transport import SQS

log = logging.getLogger(__name__)

# SQS moves it away when it has been received `broker_max_receive_count` times.
AGAIN_SECONDS = 30


class Channel(SQS.Channel):  # type: ignore[misc]  # kombu has no types
    """Returns messages that cannot be parsed to the queue."""

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
