# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""When a worker asks SQS for messages: one poll at a time, and none while no slot is free."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import kombu
import pytest
from sm2a_runtime.celery.sqs_transport import SLOT_CHECK_SECONDS, Channel, Transport

URL = "http://127.0.0.1:9/000000000000/default"


class Timer:
    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Hub:
    """An event loop that does nothing by itself."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []
        self.later: list[tuple[float, Timer, Callable[[], None]]] = []

    def call_soon(self, call: Callable[..., None], *arguments: Any) -> None:
        self.soon.append(lambda: call(*arguments))

    def call_later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> Timer:
        timer = Timer()
        self.later.append((seconds, timer, lambda: call(*arguments)))
        return timer

    def round(self) -> None:
        """What was to be done soon."""
        calls, self.soon = self.soon, []
        for call in calls:
            call()


class Polls(Channel):
    """Counts polls, each with the number of messages that it asks for."""

    def _get_bulk_async(self, queue: str, callback: Any = None) -> None:
        self.asked = [*getattr(self, "asked", []), self._get_message_estimate()]


class PollsTransport(Transport):
    Channel = Polls


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Polls]:
    """A channel that consumes from one queue with two slots, its first poll under way."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    options = {"region": "eu-west-1", "predefined_queues": {"default": {"url": URL}}}
    made: Polls = kombu.Connection(transport=PollsTransport, transport_options=options).channel()
    made.hub = Hub()
    made.basic_qos(prefetch_count=2)
    made.basic_consume("default", no_ack=False, callback=lambda message: None, consumer_tag="tag")
    made.hub.round()
    assert made.asked == [2]
    yield made
    # Nothing is given back to SQS at the end of the process.
    made.qos._delivered.clear()


def receive(channel: Polls, *tags: str) -> None:
    """The poll under way ends with these messages."""
    for tag in tags:
        # One that SQS does not know: nothing is asked to delete it.
        channel.qos._delivered[tag] = SimpleNamespace(delivery_info={})
    channel._loop1("default", len(tags))
    channel.hub.round()


def test_with_a_free_slot_the_next_poll_follows_at_once(channel: Polls) -> None:
    receive(channel, "a")
    assert channel.asked == [2, 1]


def test_without_a_free_slot_no_poll_follows_until_a_task_has_ended(channel: Polls) -> None:
    receive(channel, "a", "b")
    assert channel.asked == [2]
    channel.basic_ack("a")
    channel.hub.round()
    assert channel.asked == [2, 1]


def test_tasks_that_end_together_are_followed_by_one_poll(channel: Polls) -> None:
    receive(channel, "a", "b")
    channel.basic_ack("a")
    channel.basic_ack("b")
    channel.hub.round()
    assert channel.asked == [2, 2]
    ((_, timer, fire),) = channel.hub.later
    assert timer.cancelled
    # A timer that could not be cancelled any more begins no second poll.
    fire()
    assert channel.asked == [2, 2]


def test_a_free_slot_that_was_not_reported_is_found_after_a_while(channel: Polls) -> None:
    receive(channel, "a", "b")
    channel.qos._delivered.pop("a")
    ((seconds, _, fire),) = channel.hub.later
    fire()
    assert (seconds, channel.asked) == (SLOT_CHECK_SECONDS, [2, 1])


def test_a_rejected_message_frees_its_slot_as_well(channel: Polls) -> None:
    receive(channel, "a", "b")
    channel.basic_reject("a", requeue=False)
    channel.hub.round()
    assert channel.asked == [2, 1]


def test_a_worker_that_drains_asks_no_more(channel: Polls) -> None:
    receive(channel, "a", "b")
    channel.basic_cancel("tag")
    channel.basic_ack("a")
    channel.hub.round()
    assert channel.asked == [2]
