# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Condition operators.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import ipaddress
import operator as compare
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sm2a_local_aws.iam.policy import patterns
from sm2a_local_aws.iam.policy.patterns import Context

# (value of the policy, value of the request, context)
Test = Callable[[str, str, Context], bool]


@dataclass(frozen=True)
class Condition:
    """One key under one operator; `key` is in small letters, for keys have no case."""

    operator: str
    key: str
    values: tuple[str, ...]


def known(operator: str) -> bool:
    """Whether IAM has such an operator."""
    name = _base(operator)
    return name == "null" or name in AFFIRMATIVE or name in NEGATED


def holds(condition: Condition, context: Context, variables: bool = True) -> bool:
    """Whether the request's context fulfils the condition."""
    name, value = _base(condition.operator), context.get(condition.key)
    if name == "null":
        return (value is None) == (condition.values[0].lower() == "true")
    negated = name in NEGATED
    test = NEGATED[name] if negated else AFFIRMATIVE[name]
    quantifier = condition.operator.partition(":")[0].lower() if ":" in condition.operator else ""
    if value is None or value == ():
        return _absent(condition.operator, quantifier, negated)

    def fits(one: str) -> bool:
        found = any(test(expected, one, context) for expected in _expected(condition.values, context, variables, name))
        return found != negated

    values = (value,) if isinstance(value, str) else value
    # A negated operator without a quantifier is about every value of the request.
    every = quantifier == "forallvalues" or (negated and quantifier != "foranyvalue")
    return (all if every else any)(fits(one) for one in values)


def _base(operator: str) -> str:
    """The operator without quantifier and IfExists, in small letters."""
    return operator.rpartition(":")[2].lower().removesuffix("ifexists")


def _absent(operator: str, quantifier: str, negated: bool) -> bool:
    """What a key that the request does not have means."""
    if operator.lower().endswith("ifexists") or quantifier == "forallvalues":
        return True
    return negated and quantifier != "foranyvalue"


def _expected(values: tuple[str, ...], context: Context, variables: bool, name: str) -> list[str]:
    if not variables or name in WITH_WILDCARDS:
        return list(values)
    return [text for text in (patterns.substituted(value, context) for value in values) if text is not None]


def _numeric(comparison: Callable[[float, float], bool]) -> Test:
    def test(expected: str, value: str, _context: Context) -> bool:
        try:
            return comparison(float(value), float(expected))
        except ValueError:
            return False

    return test


def _date(comparison: Callable[[datetime, datetime], bool]) -> Test:
    def test(expected: str, value: str, _context: Context) -> bool:
        try:
            return comparison(_moment(value), _moment(expected))
        except (ValueError, OverflowError):
            return False

    return test


def _moment(text: str) -> datetime:
    """ISO 8601, or seconds since 1970."""
    if text.replace(".", "", 1).isdigit() and len(text) > 4:
        return datetime.fromtimestamp(float(text), UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _in_network(expected: str, value: str, _context: Context) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(expected, strict=False)
    except ValueError:
        return False


def _equal(expected: str, value: str, _context: Context) -> bool:
    return expected == value


def _equal_ignoring_case(expected: str, value: str, _context: Context) -> bool:
    return expected.lower() == value.lower()


AFFIRMATIVE: dict[str, Test] = {
    "stringequals": _equal,
    "stringequalsignorecase": _equal_ignoring_case,
    "stringlike": patterns.matches,
    "numericequals": _numeric(compare.eq),
    "numericlessthan": _numeric(compare.lt),
    "numericlessthanequals": _numeric(compare.le),
    "numericgreaterthan": _numeric(compare.gt),
    "numericgreaterthanequals": _numeric(compare.ge),
    "dateequals": _date(compare.eq),
    "datelessthan": _date(compare.lt),
    "datelessthanequals": _date(compare.le),
    "dategreaterthan": _date(compare.gt),
    "dategreaterthanequals": _date(compare.ge),
    "bool": _equal_ignoring_case,
    "binaryequals": _equal,
    "ipaddress": _in_network,
    "arnequals": patterns.matches_arn,
    "arnlike": patterns.matches_arn,
}
# Each with the test that none of its values may pass.
NEGATED: dict[str, Test] = {
    "stringnotequals": _equal,
    "stringnotequalsignorecase": _equal_ignoring_case,
    "stringnotlike": patterns.matches,
    "numericnotequals": _numeric(compare.eq),
    "datenotequals": _date(compare.eq),
    "notipaddress": _in_network,
    "arnnotequals": patterns.matches_arn,
    "arnnotlike": patterns.matches_arn,
}
# These replace variables themselves, for what a variable stands for is no pattern.
WITH_WILDCARDS = ("stringlike", "stringnotlike", "arnequals", "arnlike", "arnnotequals", "arnnotlike")
