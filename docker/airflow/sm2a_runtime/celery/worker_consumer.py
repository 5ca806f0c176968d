# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Celery's consumer of a worker's messages (`worker_consumer`)."""

from typing import Any

from celery.worker import consumer


class Consumer(consumer.Consumer):  # type: ignore[misc]  # celery has no types
    """Leaves a message that it cannot use to sm2a_runtime.celery.sqs_transport, while that delivers it.

    Celery would delete it, hide it for hours, or store a failure under the id that the message names.
    """

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Its body cannot be decoded."""
        raise exc

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """It is no JSON, or says nonsense of a task."""
        raise exc

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """There is no task of this name."""
        raise exc

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """It is for no task."""
        raise ValueError("a message for no task")
