# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the autoscaler must reach, side by side with its peers in the same run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .policies.contenders import CLAIRVOYANT, KEDA, MWAA, ORIGINAL, OURS
from .scores import Total


@dataclass(frozen=True)
class Goal:
    """``value`` must not exceed ``limit``."""

    text: str
    value: float
    limit: float

    @property
    def met(self) -> bool:
        """True when it does not."""
        return self.value <= self.limit


def goals(totals: Mapping[str, Total], dag_shaped: Sequence[str]) -> Iterator[Goal]:
    """Those of the report."""
    ours = totals[OURS]
    for name, share in ((KEDA, 1 / 3), (MWAA, 1 / 4), (ORIGINAL, 1 / 8)):
        yield Goal(f"mean wait, share of that of {name}", ours.wait / totals[name].wait, share)
    for name, share in ((KEDA, 0.92), (CLAIRVOYANT, 1.05)):
        yield Goal(f"worker-hours, share of those of {name}", ours.worker_hours / totals[name].worker_hours, share)
    span = ours.span_against(totals[CLAIRVOYANT], dag_shaped)
    yield Goal("95th percentile of the span of DAG runs, share of the clairvoyant's, worst workload", span, 1.02)
    yield Goal("tasks killed", ours.killed, 0)


def sensitivity_goals(name: str, ours: Total, peers: Sequence[Total]) -> Iterator[Goal]:
    """No worse than any of these peers, and nothing killed."""
    yield Goal(f"{name}: mean wait, share of KEDA's", max(ours.wait / peer.wait for peer in peers), 1)
    hours = max(ours.worker_hours / peer.worker_hours for peer in peers)
    yield Goal(f"{name}: worker-hours, share of KEDA's", hours, 1)
    yield Goal(f"{name}: tasks killed", ours.killed, 0)
