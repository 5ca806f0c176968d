# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The same workloads under conditions for which nobody prepared, ours against KEDA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .policies.contenders import CONTENDERS, KEDA, KEDA_LONG, OURS
from .scores import Announce, Case, Conditions, Total, play
from .simulation.model import Cloud

CONDITIONS = (
    Conditions("schedule hidden", hide_schedule=True),
    Conditions("durations told twice as long", duration_error=2.0),
    Conditions("durations told half as long", duration_error=0.5),
    Conditions("start-up twice as slow", cloud=Cloud(start_up_median=124.0)),
    # As many slots in all as with five a worker, or nearly.
    Conditions("16 slots a worker", cloud=Cloud(concurrency=16, maximum=7)),
)


def sensitivities(
    cases: Sequence[Case], totals: Mapping[str, Total], announce: Announce
) -> Iterator[tuple[str, Total, list[Total]]]:
    """The name of each condition, our total, and the totals of KEDA with either grace.

    KEDA sees neither schedules nor durations: where only these differ, its ordinary ``totals`` hold.
    """
    contenders = {item.name: item for item in CONTENDERS}
    for conditions in CONDITIONS:
        ours = play(contenders[OURS], cases, conditions, announce)
        other_cloud = conditions.cloud != Cloud()
        yield (
            conditions.name,
            ours,
            [
                play(contenders[name], cases, conditions, announce) if other_cloud else totals[name]
                for name in (KEDA, KEDA_LONG)
            ],
        )
