# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a resource's policy or a role's policy lets whom do."""

from __future__ import annotations

from typing import Any

from .environment import Document, as_list, statements


def is_anyone(statement: Document) -> bool:
    """Whether its principal is everybody, without a condition that narrows them to an account, a VPC or an ARN."""
    principal = statement.get("Principal")
    named = as_list(principal.get("AWS", [])) if isinstance(principal, dict) else [principal]
    return "*" in named and not statement.get("Condition")


def public(policy: str | Document | None) -> bool:
    """Whether the policy allows anyone anything."""
    return any(one["Effect"] == "Allow" and is_anyone(one) for one in statements(policy))


def refuses_plain_text(policy: str | Document | None) -> bool:
    """Whether the policy denies everyone everything without TLS."""
    return any(
        one["Effect"] == "Deny"
        and one.get("Principal") in ("*", {"AWS": "*"})
        and str(one.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport", "")).lower() == "false"
        for one in statements(policy)
    )


def actions(statement: Document) -> list[str]:
    return [str(action).lower() for action in as_list(statement.get("Action", []))]


def on_everything(statement: Document) -> bool:
    """Whether an Allow is on every resource."""
    return statement["Effect"] == "Allow" and "*" in as_list(statement.get("Resource", []))


def condition_keys(statement: Document) -> set[str]:
    """Lower-case names of the keys that its conditions look at."""
    conditions: dict[str, dict[str, Any]] = statement.get("Condition", {})
    return {key.lower() for tests in conditions.values() for key in tests}


def has_named_readers(policy: str | Document | None) -> bool:
    """Whether the policy of a secret denies reading its value to everyone but the principals that it names."""
    return any(
        one["Effect"] == "Deny"
        and one.get("Principal") in ("*", {"AWS": "*"})
        and set(actions(one)) & {"secretsmanager:getsecretvalue", "secretsmanager:*", "*"}
        and "aws:PrincipalArn" in one.get("Condition", {}).get("ArnNotLike", {})
        for one in statements(policy)
    )
