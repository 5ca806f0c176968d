# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Letting go of queues and taking them up again, with a consumer of paper."""

from types import SimpleNamespace
from typing import Any

import pytest
from sm2a_runtime.worker.intake import Intake


class Consumer:
    """Consumes from two queues; its selection behaves as Celery's."""

    def __init__(self) -> None:
        self.known = ("default", "large", "unused")
        self.selected = ["default", "large"]
        self.consuming = {"default", "large"}
        self.task_consumer: Any = object()
        self.app = SimpleNamespace(amqp=SimpleNamespace(queues=self))
        self.fails = False

    @property
    def consume_from(self) -> dict[str, None]:
        return dict.fromkeys(self.selected)

    def select(self, names: tuple[str, ...]) -> None:
        self.selected = list(names)

    def cancel_task_queue(self, queue: str) -> None:
        if self.fails:
            raise OSError("connection lost")
        self.selected.remove(queue)
        self.consuming.discard(queue)

    def add_task_queue(self, queue: str) -> None:
        assert queue in self.known
        self.consuming.add(queue)


def test_queues_are_let_go_and_taken_up_again() -> None:
    consumer, intake = Consumer(), Intake()
    for _ in range(2):
        intake.follow(consumer, takes_tasks=False)
        assert (consumer.consuming, consumer.selected) == (set(), [])
    for _ in range(2):
        intake.follow(consumer, takes_tasks=True)
        assert (consumer.consuming, consumer.selected) == ({"default", "large"}, ["default", "large"])


def test_nothing_is_done_while_the_connection_is_made() -> None:
    consumer, intake = Consumer(), Intake()
    consumer.task_consumer = None
    intake.follow(consumer, takes_tasks=False)
    assert consumer.consuming == {"default", "large"}


def test_a_failure_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    consumer, intake = Consumer(), Intake()
    consumer.fails = True
    intake.follow(consumer, takes_tasks=False)
    assert "unexpected error" in caplog.text
    consumer.fails = False
    intake.follow(consumer, takes_tasks=False)
    assert consumer.consuming == set()
