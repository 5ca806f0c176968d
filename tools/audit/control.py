# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a control is, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .environment import Environment

# Of each resource that a control looked at: its id, and what is wrong with it ("" when nothing is).
Verdicts = Iterator[tuple[str, str]]
Check = Callable[[Environment], Verdicts]
CONTROLS: list[Control] = []


@dataclass(frozen=True)
class Control:
    """``id`` is that of AWS Security Hub, or of this project where AWS has none (its number is a word then)."""

    id: str
    title: str
    next_step: str
    check: Check

    def verdicts(self, environment: Environment) -> list[tuple[str, str]]:
        """One for each resource; [] means that the environment has nothing of the kind."""
        return list(self.check(environment))


def control(identity: str, title: str, next_step: str) -> Callable[[Check], Check]:
    """Decorate the function that checks one control; ``next_step`` is what a person does about a failure."""

    def add(check: Check) -> Check:
        CONTROLS.append(Control(identity, title, next_step, check))
        return check

    return add


def when(items: Iterable[tuple[str, bool]], problem: str) -> Verdicts:
    """``problem`` with each resource of which the second value is true."""
    for resource, bad in items:
        yield resource, problem if bad else ""
