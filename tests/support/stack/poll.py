# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for what a deployed stack does by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def poll(
    read: Callable[[], Found], seconds: float, enough: Callable[[Found], object] = bool, pause: float = 2.0
) -> Found:
    """What ``read`` returns once it is ``enough``, or the last of it when ``seconds`` are over."""
    deadline = time.monotonic() + seconds
    while not enough(found := read()) and time.monotonic() < deadline:
        time.sleep(pause)
    return found


def wait_until(what: str, condition: Callable[[], object], seconds: float) -> None:
    """Return when it is so; AssertionError when it is not in time."""
    assert poll(condition, seconds), f"not within {seconds} s: {what}"
