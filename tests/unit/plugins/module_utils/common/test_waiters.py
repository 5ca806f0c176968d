# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Waiters say what they wait for, each time that they have looked in vain."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.common import progress, waiters


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The reading end of the pipe."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    monkeypatch.setattr(progress.OUTLET, "_pipe", None)
    progress.OUTLET.open(writer)
    yield reader
    os.close(reader)
    os.close(writer)


def test_what_is_awaited_is_said(said: int) -> None:
    states = iter(["creating", "backing-up", "available"])
    seen: list[str] = []

    def observe() -> bool:
        seen.append(next(states))
        return seen[-1] == "available"

    assert waiters.wait_until(observe, 0, 10, lambda: f"DB instance sm2a is {seen[-1]}")
    assert os.read(said, 1000) == b"DB instance sm2a is creating\nDB instance sm2a is backing-up\n"


def test_nothing_is_said_of_what_has_no_state(said: int) -> None:
    assert not waiters.wait_until(lambda: False, 0, 1)
    with pytest.raises(BlockingIOError):
        os.read(said, 1000)


def test_a_full_pipe_stops_nobody(said: int) -> None:
    for _time in range(10_000):
        progress.say("x" * 1000 + "\n\n")
    assert os.read(said, 1000).splitlines()[0] == b"x" * progress.LONGEST


def test_without_a_pipe_nothing_happens() -> None:
    progress.Outlet().say("nobody listens")
