# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The pause between ticks lasts its time, and a signal ends it at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from sm2a_autoscaler.shutdown import Shutdown


@pytest.fixture
def shutdown() -> Iterator[Shutdown]:
    """Handlers installed for the test only."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    subject = Shutdown()
    subject.listen()
    yield subject
    for number, handler in before.items():
        signal.signal(number, handler)


def test_without_a_signal_the_pause_lasts_its_time(shutdown: Shutdown) -> None:
    started = time.monotonic()
    assert not shutdown.wait(0.2)
    assert 0.19 < time.monotonic() - started < 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_pause_at_once(shutdown: Shutdown, number: signal.Signals) -> None:
    timer = threading.Timer(0.1, os.kill, (os.getpid(), number))
    timer.start()
    started = time.monotonic()
    assert shutdown.wait(30)
    assert time.monotonic() - started < 5
    timer.join()


def test_a_signal_during_a_tick_is_remembered_and_later_ones_are_harmless(shutdown: Shutdown) -> None:
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGTERM)
    assert shutdown.requested
    started = time.monotonic()
    assert shutdown.wait(30)
    assert shutdown.wait(30)
    assert time.monotonic() - started < 5
