# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of values that a rule accepts or refuses, as the tests of rules go through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Rule

# Option -> values that every rule about it accepts, and values that one refuses.
Cases = Mapping[str, tuple[Sequence[Any], Sequence[Any]]]
# Values of several options that are refused together -> what the sentence says, None when they are right.
JointCases = Sequence[tuple[dict[str, Any], "str | None"]]
Problems = Callable[[Mapping[str, Any]], list[str]]


def accepted(cases: Cases) -> list[tuple[str, Any]]:
    """Each option with each value that is right."""
    return [(option, value) for option, (right, _wrong) in cases.items() for value in right]


def refused(cases: Cases) -> list[tuple[str, Any]]:
    """Each option with each value that is wrong."""
    return [(option, value) for option, (_right, wrong) in cases.items() for value in wrong]


def unproved(rules: Iterable[Rule], cases: Cases) -> list[str]:
    """The rules that no value of the table breaks."""
    return [
        f"{rule.option}: {rule.source}"
        for rule in rules
        if not any(rule.problem(value) for value in cases.get(rule.option, ((), ()))[1])
    ]


def unproved_joint(rules: Iterable[JointRule], cases: JointCases) -> list[str]:
    """The joint rules that no values of the table break."""
    return [", ".join(rule.options) for rule in rules if not any(rule.problem(values) for values, _said in cases)]


def says(problems: Iterable[str], option: str) -> list[str]:
    """The sentences about this option, alone or with others."""
    return [problem for problem in problems if option in problem.partition(":")[0].split(", ")]
