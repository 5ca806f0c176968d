# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The outcome of an audit, for people and for an exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .control import Control
from .environment import Environment
from .exceptions import reason


@dataclass(frozen=True)
class Outcome:
    """One control: ``looked_at`` resources, and by resource the ``problems`` that count and those ``excepted``."""

    control: Control
    looked_at: int
    problems: dict[str, str]
    excepted: dict[str, str]

    @property
    def word(self) -> str:
        if self.problems:
            return "FAILED"
        if self.excepted:
            return "excepted"
        return "passed" if self.looked_at else "nothing there"


def audit(environment: Environment, controls: Iterable[Control], strict: bool = False) -> list[Outcome]:
    """Every control over the environment; botocore's ClientError when AWS refuses a read.

    ``strict`` lets nothing through.
    """
    outcomes = []
    for one in controls:
        verdicts = one.verdicts(environment)
        found = {resource: problem for resource, problem in verdicts if problem}
        excepted = {resource for resource in found if not strict and reason(one.id, resource)}
        counted = {resource: problem for resource, problem in found.items() if resource not in excepted}
        why = {resource: reason(one.id, resource) for resource in found if resource in excepted}
        outcomes.append(Outcome(one, len(verdicts), counted, why))
    return outcomes


def table(outcomes: list[Outcome]) -> str:
    """A line for each control."""
    width = max(len(one.control.id) for one in outcomes)
    lines = [f"{one.control.id:{width}}  {one.word:13}  {one.looked_at:4}  {one.control.title}" for one in outcomes]
    return "\n".join([f"{'control':{width}}  outcome        seen  what must hold", *lines])


def failures(outcomes: list[Outcome]) -> str:
    """A paragraph for each control that failed: id, resources, next step."""
    told = []
    for one in outcomes:
        if one.problems:
            told.append(f"{one.control.id}: {one.control.title}")
            told += [f"  {resource}: {problem}" for resource, problem in one.problems.items()]
            told.append(f"  Next: {one.control.next_step}")
    return "\n".join(told)


def reasons(outcomes: list[Outcome]) -> str:
    """A line for each control and reason that lets something through."""
    told: dict[str, list[str]] = {}
    for one in outcomes:
        for name, why in one.excepted.items():
            told.setdefault(f"{one.control.id} is let through: {why}", []).append(name)
    return "\n".join(f"{line} ({', '.join(names)})" for line, names in told.items())
