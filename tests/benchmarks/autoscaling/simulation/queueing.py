# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What queueing theory says of a fixed fleet: the simulator must agree with it."""

from __future__ import annotations


def erlang_c(servers: int, load: float) -> float:
    """Probability that an arrival waits in M/M/``servers``; ``load`` is rate times mean duration, below ``servers``."""
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    utilisation = load / servers
    return blocked / (1 - utilisation * (1 - blocked))


def mean_wait(servers: int, rate: float, seconds: float) -> float:
    """Mean wait in seconds for Poisson arrivals and exponential durations."""
    load = rate * seconds
    return erlang_c(servers, load) * seconds / (servers - load)
