# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which workers stop when there are too many."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .model import Victims
from .workers import Phase, Worker


def choose(
    workers: Sequence[Worker],
    surplus: int,
    victims: Victims,
    *,
    idle_at_tick: Sequence[Worker],
    now: float,
    choices: random.Random,
) -> list[Worker]:
    """At most ``surplus`` of ``workers``. Those that are not ready yet go first, the latest first."""
    if victims is Victims.NAMED:
        return [worker for worker in idle_at_tick if worker in workers][:surplus]
    starting = sorted((worker for worker in workers if worker.phase is Phase.STARTING), key=lambda item: -item.number)
    ready = [worker for worker in workers if worker.phase is Phase.READY]
    if victims is Victims.PROTECTED:
        ready = [worker for worker in ready if not worker.protected(now)]
    if victims is Victims.NEWEST:
        ready.sort(key=lambda worker: -worker.number)
    else:
        choices.shuffle(ready)
    return [*starting, *ready][:surplus]
