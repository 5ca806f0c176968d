# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks of one run wait for their turn."""

from __future__ import annotations

import math

import pytest
from sm2a_autoscaler.decision.model import Upcoming
from sm2a_autoscaler.look_ahead.max_active_tasks import within_limit


def starts(items: list[Upcoming], active: tuple[float, ...], limit: int | None, horizon: float = 300) -> list[float]:
    """When each task starts."""
    found = within_limit([("default", item) for item in items], active, limit, horizon)
    return [item.in_seconds for _, item in found for _ in range(item.tasks)]


@pytest.mark.parametrize(
    ("items", "active", "limit", "expected"),
    [
        ([Upcoming(5, 3, 10)], (), None, [5, 5, 5]),
        ([Upcoming(5, 3, 10)], (), 16, [5, 5, 5]),
        ([Upcoming(5, 5, 10)], (), 2, [5, 5, 15, 15, 25]),
        # The first of two active tasks ends after 8 s; of the other one nobody knows.
        ([Upcoming(5, 2, 10)], (8, math.inf), 2, [8, 18]),
        # More are active than the limit allows, which was lowered.
        ([Upcoming(0, 1, 10)], (3, 4, 5), 1, [5]),
        # A task without a past never gives its place back.
        ([Upcoming(0, 2), Upcoming(1, 1, 5)], (), 1, [0]),
        ([Upcoming(9, 1, 5), Upcoming(0, 1, 5)], (), 1, [0, 9]),
        ([Upcoming(0, 100, 100)], (), 1, [0, 100, 200, 300]),
        ([Upcoming(0, 1, 5)], (), 0, []),
        ([Upcoming(0, 2, 5)], (math.inf,), 1, []),
    ],
)
def test_no_more_are_active_than_the_limit(
    items: list[Upcoming], active: tuple[float, ...], limit: int | None, expected: list[float]
) -> None:
    assert starts(items, active, limit) == expected
