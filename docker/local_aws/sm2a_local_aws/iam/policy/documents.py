# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Policy documents as statements. A parsed document is kept, for the same few are asked at every request."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sm2a_local_aws.iam.policy import conditions, patterns
from sm2a_local_aws.iam.policy.conditions import Condition
from sm2a_local_aws.iam.policy.patterns import Context

WITH_VARIABLES = "2012-10-17"


class PolicyError(ValueError):
    """A document that IAM would not have taken."""


@dataclass(frozen=True)
class Statement:
    """One statement. An element that is not there is None; `principals` holds (type, name) pairs."""

    sid: str
    allows: bool
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    principals: tuple[tuple[str, str], ...] | None = None
    not_principals: tuple[tuple[str, str], ...] | None = None
    conditions: tuple[Condition, ...] = ()
    variables: bool = True

    def covers(self, action: str, resource: str, context: Context) -> bool:
        """Whether it applies to this action on this resource in this context, for any principal."""
        return (
            self._covers_action(action)
            and self._covers_resource(resource, context)
            and all(conditions.holds(condition, context, self.variables) for condition in self.conditions)
        )

    def _covers_action(self, action: str) -> bool:
        named = self.actions if self.actions is not None else self.not_actions or ()
        found = any(patterns.matches(one, action, {}, variables=False, ignore_case=True) for one in named)
        return found == (self.actions is not None)

    def _covers_resource(self, resource: str, context: Context) -> bool:
        if self.resources is None and self.not_resources is None:
            # Trust policies name no resource.
            return True
        named = self.resources if self.resources is not None else self.not_resources or ()
        found = any(patterns.matches(one, resource, context, variables=self.variables) for one in named)
        return found == (self.resources is not None)


Document = tuple[Statement, ...]


def parse(document: str | Mapping[str, Any]) -> Document:
    """The statements of a policy document; PolicyError when it is none."""
    return _parsed(document if isinstance(document, str) else json.dumps(document))


@functools.lru_cache(maxsize=1024)
def _parsed(text: str) -> Document:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"not JSON: {error}") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise PolicyError("a policy has the element Statement")
    variables = document.get("Version") == WITH_VARIABLES
    return tuple(_statement(one, variables) for one in _listed(document["Statement"]))


def _statement(source: Any, variables: bool) -> Statement:
    if not isinstance(source, dict) or source.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"a statement allows or denies: {source}")
    for one, other in (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")):
        if one in source and other in source:
            raise PolicyError(f"{one} and {other} exclude each other")
    if "Action" not in source and "NotAction" not in source:
        raise PolicyError("a statement has Action or NotAction")
    return Statement(
        sid=source.get("Sid", ""),
        allows=source["Effect"] == "Allow",
        actions=_texts(source, "Action"),
        not_actions=_texts(source, "NotAction"),
        resources=_texts(source, "Resource"),
        not_resources=_texts(source, "NotResource"),
        principals=_principals(source, "Principal"),
        not_principals=_principals(source, "NotPrincipal"),
        conditions=_conditions(source.get("Condition") or {}),
        variables=variables,
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(source: dict[str, Any], element: str) -> tuple[str, ...] | None:
    return tuple(str(one) for one in _listed(source[element])) if element in source else None


def _principals(source: dict[str, Any], element: str) -> tuple[tuple[str, str], ...] | None:
    if element not in source:
        return None
    if source[element] == "*":
        return (("*", "*"),)
    return tuple((kind, str(name)) for kind, names in source[element].items() for name in _listed(names))


def _conditions(source: dict[str, Any]) -> tuple[Condition, ...]:
    found = []
    for operator, tests in source.items():
        if not conditions.known(operator):
            raise PolicyError(f"no condition operator is called {operator}")
        for key, values in tests.items():
            texts = tuple(_text(value) for value in _listed(values))
            found.append(Condition(operator=operator, key=key.lower(), values=texts))
    return tuple(found)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
