# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What modules return, in one shape: ``changed``, ``diff``, and members of their own.

``diff`` of one resource is a pair of ``before`` and ``after``, as ansible-core shows it. Of several it is a list of
such pairs, one for each resource that changed, with its name as the header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Outcome:
    """What one ensure function did, or in check mode would do, to one resource.

    ``before`` and ``after`` are snake_case views without secret values; an absent resource is ``{}``.
    """

    changed: bool
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def diff(self) -> dict[str, Any]:
        """The pair that ``--diff`` shows."""
        return {"before": self.before, "after": self.after}

    def result(self, key: str, **members: Any) -> dict[str, Any]:
        """What the module of a single resource returns: the resource is under ``key``."""
        return {"changed": self.changed, "diff": self.diff(), key: self.after, **members}


def joint_result(outcomes: Mapping[str, Outcome], **members: Any) -> dict[str, Any]:
    """What the module of several resources returns; ``outcomes`` are by name."""
    changed = {name: outcome for name, outcome in outcomes.items() if outcome.changed}
    return {
        "changed": bool(changed),
        "diff": [{"before_header": name, "after_header": name, **outcome.diff()} for name, outcome in changed.items()],
        **members,
    }


def list_result(outcomes: Mapping[str, Outcome], key: str) -> dict[str, Any]:
    """The joint result of resources that are under ``key``, each with its ``name`` and whether it ``changed``."""
    resources = [{**outcome.after, "name": name, "changed": outcome.changed} for name, outcome in outcomes.items()]
    return joint_result(outcomes, **{key: resources})
