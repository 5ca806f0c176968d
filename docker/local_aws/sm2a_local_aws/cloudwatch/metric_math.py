# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Metric math for one moment: arithmetic, comparisons, AND, OR, IF, FILL, MIN, MAX, SUM and ABS over values of metrics.

What has no value (None) makes the result None, except where FILL says what to take instead.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

Value = float | None


class MetricMathError(ValueError):
    """The expression is none that is understood here."""


ARITHMETIC: dict[type[Any], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
COMPARISONS: dict[type[Any], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
REDUCTIONS: dict[str, Callable[[list[float]], float]] = {"MIN": min, "MAX": max, "SUM": sum}


def evaluate(expression: str, values: Mapping[str, Value]) -> Value:
    """The expression's value where its metrics have these ones."""
    return _value(parse(expression).body, values)


def parse(expression: str) -> ast.Expression:
    """The expression as a tree; MetricMathError when it is malformed."""
    text = re.sub(r"\|\||\bOR\b", " or ", re.sub(r"&&|\bAND\b", " and ", expression))
    try:
        return ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise MetricMathError(f"malformed metric math: {expression}") from error


def _value(node: ast.expr, values: Mapping[str, Value]) -> Value:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name):
        if node.id not in values:
            raise MetricMathError(f"no metric has the id {node.id}")
        return values[node.id]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, node.args, values)
    if isinstance(node, ast.BoolOp):
        decide = all if isinstance(node.op, ast.And) else any
        parts = [_value(part, values) for part in node.values]
        return None if None in parts else float(decide(parts))
    return _operation(node, values)


def _operation(node: ast.expr, values: Mapping[str, Value]) -> Value:
    """What has one operator and one or two operands."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _combined(operator.sub, 0.0, _value(node.operand, values))
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        return _combined(ARITHMETIC[type(node.op)], _value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        compare = COMPARISONS[type(node.ops[0])]
        return _combined(compare, _value(node.left, values), _value(node.comparators[0], values))
    raise MetricMathError(f"not understood here: {ast.unparse(node)}")


def _combined(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    try:
        return float(function(left, right))
    except ZeroDivisionError:
        return None


def _call(name: str, arguments: list[ast.expr], values: Mapping[str, Value]) -> Value:
    if name == "FILL" and len(arguments) == 2:
        value = _value(arguments[0], values)
        return _value(arguments[1], values) if value is None else value
    if name == "IF" and len(arguments) in (2, 3):
        condition = _value(arguments[0], values)
        if condition is None:
            return None
        if condition:
            return _value(arguments[1], values)
        return _value(arguments[2], values) if len(arguments) == 3 else None
    if name == "ABS" and len(arguments) == 1:
        value = _value(arguments[0], values)
        return None if value is None else abs(value)
    if name in REDUCTIONS:
        listed = arguments[0].elts if len(arguments) == 1 and isinstance(arguments[0], ast.List) else arguments
        found = [value for value in (_value(item, values) for item in listed) if value is not None]
        return REDUCTIONS[name](found) if found else None
    raise MetricMathError(f"no such function here: {name} of {len(arguments)} arguments")
