# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The summary of a run as data, for a workflow, and as lines, for people. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.progress import duration
from ansible_collections.sm2a.airflow.plugins.plugin_utils.summary.changes import DEEDS, Changes


@dataclass(frozen=True)
class Summary:
    """How a run of a playbook ended for one environment. ``seconds`` is None where the system does not tell them."""

    environment: str
    region: str
    playbook: str
    complete: bool
    check_mode: bool
    changes: Changes
    seconds: float | None = None
    url: str = ""
    notes: Sequence[str] = field(default=())

    def totals(self) -> Counter[str]:
        """How many resources of all kinds were created, changed and deleted."""
        return sum(self.changes.values(), Counter())

    def data(self) -> dict[str, Any]:
        """For whatever runs next in a workflow."""
        return {
            "environment": self.environment,
            "region": self.region,
            "playbook": self.playbook,
            "url": self.url,
            "complete": self.complete,
            "check_mode": self.check_mode,
            "changes": {deed: self.totals()[deed] for deed in DEEDS},
            "changes_by_kind": {kind: {deed: found[deed] for deed in DEEDS} for kind, found in self.changes.items()},
            "seconds": None if self.seconds is None else round(self.seconds),
        }

    def lines(self) -> list[str]:
        """For people."""
        heading = "Changes that a run would make" if self.check_mode else "Changes"
        url = [f"Airflow: {self.url}"] if self.url else []
        took = [] if self.seconds is None else [f"Time: {duration(self.seconds)}"]
        unfinished = (
            [] if self.complete else ["Not complete: a task failed, see above. The same playbook goes on from here"]
        )
        return [
            f"{self.playbook} for {self.environment} in {self.region}",
            *url,
            *self.notes,
            f"{heading}: {_deeds(self.totals())}",
            *(f"- {kind}: {_deeds(found)}" for kind, found in self.changes.items()),
            *took,
            *unfinished,
        ]


def _deeds(found: Counter[str]) -> str:
    """2 created, 1 deleted."""
    return ", ".join(f"{found[deed]} {deed}" for deed in DEEDS if found[deed]) or "none"
