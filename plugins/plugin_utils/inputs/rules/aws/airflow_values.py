# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values that Airflow, Git or a package manager refuse, or that CloudWatch refuses of Airflow's metrics. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    each,
    entries,
    matching,
    number,
    of_text,
    shown,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Rule

METRICS = "https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/logging-monitoring/metrics.html"
DIMENSIONS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"
BUNDLES = "https://airflow.apache.org/docs/apache-airflow-providers-git/stable/bundles/index.html"
REFERENCES = "https://git-scm.com/docs/git-check-ref-format"
PACKAGES = "https://www.debian.org/doc/debian-policy/ch-controlfields.html#source"
CONNECTIONS = "https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html"
ENVIRONMENT = "https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html"
AUTOSCALER = "docs/roles/autoscaler.md"

# Environment is one of the 30 that a metric may have.
MOST_DIMENSIONS = 29


def _expression(value: str) -> str | None:
    if "," in value:
        return f"must not have a comma, which Airflow takes for the end of the expression, as {shown(value)} does"
    try:
        re.compile(value)
    except re.error as error:
        return f"must be a regular expression, not {shown(value)} ({error})"
    return None


def _dimensions(value: Any) -> str | None:
    if not isinstance(value, (list, tuple)) or len(value) <= MOST_DIMENSIONS:
        return None
    return f"must be at most {MOST_DIMENSIONS}, besides Environment, not {len(value)}"


def _folder(value: str) -> str | None:
    if not value.startswith("/") and ".." not in value.split("/"):
        return None
    return f"must be a folder inside the repository, as team/dags, not {shown(value)}"


def _reference(value: str) -> str | None:
    wrong = re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock$|[/.]$|^[/-]|^@$", value)
    return f"must be a branch, tag or commit, not {shown(value)}" if wrong else None


def _holds(values: Mapping[str, Any]) -> str | None:
    tick, hold = number(values, "autoscaler_tick_seconds", 10), number(values, "autoscaler_hold_seconds", 60)
    if 0 < hold < 2 * tick:
        return f"the hold must be 0 or at least two ticks, so {2 * tick} seconds or more, not {hold}"
    for group in entries(values.get("airflow_worker_groups")):
        own = group.get("hold_seconds")
        if isinstance(own, (int, float)) and 0 < own < 2 * tick:
            return (
                f"hold_seconds of group {group.get('name')} must be 0 or at least two ticks, so {2 * tick}, not {own}"
            )
    return None


def _environment(value: Any) -> str | None:
    """Variables of every AWS call; their values are secret."""
    found = []
    for name, given in value.items() if isinstance(value, Mapping) else ():
        if not isinstance(name, str) or not re.fullmatch(r"[^=\s]+", name):
            found.append(f"names must be text without spaces and '=', not {shown(name)}")
        elif given is None or isinstance(given, (Mapping, list, tuple)):
            found.append(f"{name} must be text, not a list, a dictionary or nothing")
    return "; ".join(found) or None


RULES: list[Rule] = [
    Rule("sm2a_aws_environment", ENVIRONMENT, _environment),
    Rule("airflow_metrics_allow_list", METRICS, each(of_text(_expression))),
    Rule("airflow_metrics_dimensions", DIMENSIONS, _dimensions),
    Rule(
        "airflow_metrics_dimensions",
        METRICS,
        each(matching(r"[A-Za-z_][A-Za-z0-9_.-]*", "a tag of Airflow's metrics, such as dag_id")),
    ),
    Rule("airflow_dags_git_subdirectory", BUNDLES, of_text(_folder)),
    Rule("airflow_dags_git_branch", REFERENCES, of_text(_reference)),
    Rule(
        "airflow_dags_git_connection_id",
        CONNECTIONS,
        matching(r"[A-Za-z0-9_+=.@-]{1,250}", "the id of a connection, of letters, digits and _+=.@-", repeat=False),
    ),
    Rule(
        "images_packages",
        PACKAGES,
        each(
            matching(
                r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?([=/][A-Za-z0-9.+~:-]+)?[+-]?",
                "the name of a Debian package, with =version if need be",
            )
        ),
    ),
]
JOINT_RULES: list[JointRule] = [
    JointRule(("autoscaler_hold_seconds", "autoscaler_tick_seconds"), AUTOSCALER, _holds),
]
