# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Convert the options of roles, and say everything that is wrong with them at once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Set
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.conversion import Conversion
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import (
    airflow,
    aws_values,
    broker,
    database_users,
    network,
    plain_secrets,
    secrets,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_config import config_warnings
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import Spec, is_secret

Rules = Callable[[Mapping[str, Any]], list[str]]
RULES: tuple[Rules, ...] = (
    airflow.problems,
    network.problems,
    database_users.problems,
    aws_values.problems,
    broker.problems,
    secrets.problems,
    plain_secrets.problems,
)


def converted(
    values: Mapping[str, Any], unresolved: Container[str], spec: Spec
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Every option of ``spec`` in its type, or its default, or None; and the sentences about each that is wrong.

    What is ``unresolved`` is left out.
    """
    typed, problems = {}, {}
    for name, option in spec.items():
        if name not in unresolved:
            conversion = Conversion(name, values.get(name), option)
            typed[name] = conversion.value
            if conversion.problems:
                problems[name] = conversion.problems
    return typed, problems


def rule_problems(values: Mapping[str, Any], refused: Set[str] = frozenset()) -> list[str]:
    """What the types cannot say: one sentence for each problem of converted options; None is not judged.

    ``refused`` are names of options that are wrong already: no rule says more about these.
    """
    given = {name: value for name, value in values.items() if value is not None and name not in refused}
    judged = dict.fromkeys(problem for rule in RULES for problem in rule(given))
    return [sentence for sentence in judged if not any(name in sentence for name in refused)]


def warnings(values: Mapping[str, Any]) -> list[str]:
    """What may be meant so, but is more often a mistake: one sentence each."""
    return config_warnings(values.get("airflow_config") or {})


def public(values: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """Those that hold no secret, which may be in a fact."""
    return {name: value for name, value in values.items() if not is_secret(spec[name])}
