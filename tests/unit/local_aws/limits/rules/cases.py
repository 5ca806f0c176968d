# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Calls that AWS refuses, and the table's word on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sm2a_local_aws.limits import rules


@dataclass(frozen=True)
class Wrong:
    """A call, the code of its refusal and a part of AWS's sentence."""

    operation: str
    parameters: dict[str, Any]
    code: str
    sentence: str


def refusals(service: str, operation: str, parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and sentence of each rule of the table that a call breaks."""
    return list(rules.problems(service, operation, parameters))


def assert_refused(service: str, wrong: Wrong) -> None:
    """The call breaks one rule, in these words."""
    [(code, sentence)] = refusals(service, wrong.operation, wrong.parameters)
    assert code == wrong.code
    assert wrong.sentence in sentence


def rules_without_a_case(service: str, cases: Iterable[Wrong]) -> list[str]:
    """Operations and pages of the rules that none of the cases breaks."""
    given = list(cases)
    return [
        f"{', '.join(rule.operations)}: {rule.source}"
        for rule in rules.RULES[service]
        if not any(one.operation in rule.operations and rule.problem(one.parameters) for one in given)
    ]
