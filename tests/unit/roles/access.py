# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Whether a role's policy and a resource's policy allow a call, as far as the policies of this project go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Statement = Mapping[str, Any]
Context = Mapping[str, str]


def allowed(
    statements: Sequence[Statement],
    action: str,
    resource: str,
    context: Context | None = None,
    resource_policy: Mapping[str, Any] | None = None,
) -> bool:
    """Deny beats allow, and what nothing allows is denied. Keys of ``context`` are as in the policies."""
    context = context or {}
    denying = [*statements, *(resource_policy or {"Statement": []})["Statement"]]
    if any(one["Effect"] == "Deny" and covers(one, action, resource, context) for one in denying):
        return False
    return any(one["Effect"] == "Allow" and covers(one, action, resource, context) for one in statements)


def covers(statement: Statement, action: str, resource: str, context: Context) -> bool:
    """Whether the statement is about this call."""
    return (
        any(like(pattern.lower(), action.lower()) for pattern in texts(statement["Action"]))
        and any(like(pattern, resource) for pattern in texts(statement["Resource"]))
        and all(
            holds(operator, context.get(key), texts(values))
            for operator, tests in statement.get("Condition", {}).items()
            for key, values in tests.items()
        )
    )


def holds(operator: str, value: str | None, expected: list[str]) -> bool:
    """One condition; ``value`` is None when the call has no such key. An unknown operator is an error."""
    if operator == "Null":
        return (value is None) == (expected == ["true"])
    if value is None and operator.endswith("IfExists"):
        return True
    base = operator.removesuffix("IfExists")
    negated = "Not" in base
    match base.replace("Not", ""):
        case "StringEquals" | "Bool":
            found = value in expected
        case "StringLike" | "ArnLike" | "ArnEquals":
            found = value is not None and any(like(pattern, value) for pattern in expected)
        case _:
            raise ValueError(operator)
    return found != negated


def like(pattern: str, text: str) -> bool:
    """``*`` is any text, ``?`` one character."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def texts(value: Any) -> list[str]:
    """IAM writes a list of one as a plain value."""
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
