# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One rule: what a call takes of a quota, and what AWS says when too little is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Parameters = Mapping[str, Any]
# (service, operation) -> rules.
Rules = Mapping[tuple[str, str], tuple["Rule", ...]]


@dataclass(frozen=True)
class Rule:
    """What a call takes of a quota.

    ``used`` is what is in use. ``takes`` is what the call takes, 0 when the quota does not concern it. ``said`` has
    AWS's text, in which {value} is the quota.
    """

    quota: str
    code: str
    said: str
    used: Callable[[Parameters], float]
    takes: Callable[[Parameters], float] = lambda _parameters: 1
    status: int = 400


def new(store: Any, member: str, key: str | None = None) -> Callable[[Parameters], float]:
    """Nothing is taken when there is such a name: the call is answered with what exists, or refused for that."""

    def takes(parameters: Parameters) -> float:
        names = store.keys() if key is None else [record[key] for record in store.values()]
        return 0 if parameters.get(member) in list(names) else 1

    return takes
