# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Statements of policies that IAM and KMS refuse: members that are missing or too many, and wrong forms. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import entries, member, shown
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import Problem, Rule, same

GRAMMAR = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"
KEY_POLICY = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html"

PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"))
PRINCIPALS = ("Principal", "NotPrincipal")
MEMBERS = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(one, str)]


def _common(statement: Mapping[Any, Any]) -> Iterator[str]:
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"Effect must be Allow or Deny, not {shown(statement.get('Effect'))}"
    for pair in PAIRS:
        if sum(one in statement for one in pair) != 1:
            yield f"must have one of {' and '.join(pair)}, not {'both' if pair[0] in statement else 'neither'}"
    for name in ("Action", "NotAction"):
        for action in _texts(statement.get(name)):
            if not re.fullmatch(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
                yield f"{name} must be a service and a name, as s3:GetObject, not {shown(action)}"
    condition = statement.get("Condition")
    if condition is not None and not isinstance(condition, Mapping):
        yield "Condition must be a dictionary"


def _identity(statement: Mapping[Any, Any]) -> Iterator[str]:
    yield from _common(statement)
    sid = statement.get("Sid")
    if isinstance(sid, str) and not re.fullmatch(r"[A-Za-z0-9]*", sid):
        yield f"Sid must be letters and digits only, not {shown(sid)}"
    if any(name in statement for name in PRINCIPALS):
        yield "must not have a Principal, which is the role itself; remove it"
    for name in ("Resource", "NotResource"):
        for resource in _texts(statement.get(name)):
            if resource != "*" and not resource.startswith("arn:"):
                yield f"{name} must be an ARN or '*', not {shown(resource)}"
    yield from _unknown(statement, PRINCIPALS)


def _of_key(statement: Mapping[Any, Any]) -> Iterator[str]:
    yield from _common(statement)
    if sum(one in statement for one in PRINCIPALS) != 1:
        yield "must have a Principal, who may use the key"
    yield from _unknown(statement, PRINCIPALS)


def _unknown(statement: Mapping[Any, Any], besides: tuple[str, ...]) -> Iterator[str]:
    unknown = [str(name) for name in statement if name not in (*MEMBERS, *besides)]
    if unknown:
        yield f"must have only {', '.join(MEMBERS)}, not {', '.join(unknown)}; mind upper and lower case"


def _each(judge: Callable[[Mapping[Any, Any]], Iterator[str]]) -> Problem:
    def problem(value: Any) -> str | None:
        found = [
            f"statement {number} {sentence}"
            for number, statement in enumerate(entries(value), 1)
            for sentence in judge(statement)
        ]
        return "; ".join(found) or None

    return problem


RULES: list[Rule] = [
    *same(GRAMMAR, member("policy_statements", _each(_identity)), "airflow_worker_groups", "cluster_worker_groups"),
    Rule("secrets_kms_policy_statements", KEY_POLICY, _each(_of_key)),
]
