# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a rule about variables is, and how a table of rules becomes a list of sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# What is wrong with a value ("must be ..., not ..."), or None. A value of a type that the argument spec refuses passes:
# it has a sentence already.
Problem = Callable[[Any], "str | None"]


@dataclass(frozen=True)
class Rule:
    """A limit of one option. ``source`` is the page that has it: of AWS, of Airflow, or of this collection."""

    option: str
    source: str
    problem: Problem


@dataclass(frozen=True)
class JointRule:
    """A limit of several options together; ``problem`` gets all values and expects none of them."""

    options: tuple[str, ...]
    source: str
    problem: Callable[[Mapping[str, Any]], str | None]


def same(source: str, problem: Problem, *options: str) -> list[Rule]:
    """The same limit for several options."""
    return [Rule(option, source, problem) for option in options]


def problems(values: Mapping[str, Any], rules: Iterable[Rule]) -> list[str]:
    """One sentence for each rule that a given value breaks; options without a value are not judged."""
    return [
        f"{rule.option}: {sentence}"
        for rule in rules
        if values.get(rule.option) is not None and (sentence := rule.problem(values[rule.option]))
    ]


def joint_problems(values: Mapping[str, Any], rules: Iterable[JointRule]) -> list[str]:
    """One sentence for each rule that several values break together, after the names of all of them."""
    return [f"{', '.join(rule.options)}: {sentence}" for rule in rules if (sentence := rule.problem(values))]
