# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The table of the limits that AWS has for values of options, from the files about each subject. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws import (
    addresses,
    airflow_values,
    arns,
    database,
    dns,
    domains,
    load_balancer,
    names,
    places,
    policies,
    ranges,
    table,
    tags,
    windows,
)

RULES: list[table.Rule] = [
    rule
    for subject in (
        names,
        tags,
        domains,
        dns,
        addresses,
        ranges,
        arns,
        places,
        database,
        windows,
        load_balancer,
        policies,
        airflow_values,
    )
    for rule in subject.RULES
]
JOINT_RULES: list[table.JointRule] = [
    rule
    for subject in (names, domains, dns, addresses, arns, database, windows, load_balancer, airflow_values)
    for rule in subject.JOINT_RULES
]


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence for each limit that these values break; each value has the type that its argument spec declares."""
    return [*table.problems(values, RULES), *table.joint_problems(values, JOINT_RULES)]
