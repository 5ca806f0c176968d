# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Waiters over observations of our own, with botocore's waiter as the engine."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

try:
    from botocore.exceptions import WaiterError
    from botocore.waiter import SingleWaiterConfig, Waiter
except ImportError:
    pass  # AnsibleAWSModule reports the missing library.

from ansible_collections.sm2a.airflow.plugins.module_utils.common.progress import say


def wait_until(observe: Callable[[], bool], delay: int, timeout: int, state: Callable[[], str] = lambda: "") -> bool:
    """Call ``observe`` every ``delay`` seconds until it returns True; False when ``timeout`` seconds have passed.

    What ``observe`` raises ends the wait. ``state`` says afterwards what is still awaited, for the output of the run.
    """
    config = SingleWaiterConfig(
        {
            "operation": "Observe",
            "delay": delay,
            "maxAttempts": max(1, math.ceil(timeout / max(delay, 1)) + 1),
            "acceptors": [{"state": "success", "matcher": "path", "argument": "done", "expected": True}],
        }
    )

    def operation(**_unused: Any) -> dict[str, bool]:
        done = observe()
        if not done and (awaited := state()):
            say(awaited)
        return {"done": done}

    try:
        Waiter("Observe", config, operation).wait()
    except WaiterError:
        return False
    return True
