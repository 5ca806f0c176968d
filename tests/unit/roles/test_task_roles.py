# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the task roles allow: named resources, no wildcard actions, exactly the secrets that a component is given."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.secret_readers import CONFIGURATION
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import read_yaml
from ansible_collections.sm2a.airflow.tests.unit.roles.rendering import render
from ansible_collections.sm2a.airflow.tests.unit.roles.test_metrics_sidecar import GIVEN, VARIABLE_FILES

POLICIES = read_yaml(PROJECT / "roles/cluster/vars/policies.yml")
ENVIRONMENT = read_yaml(PROJECT / "roles/airflow/vars/environment.yml")
STATEMENTS: dict[str, dict[str, Any]] = {
    **POLICIES["__cluster_statements"],
    **POLICIES["__cluster_execution_statements"],
}
# AWS knows no resources for these.
WITHOUT_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "logs:DescribeLogGroups",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}
LETTERS = {
    "A": "api_server",
    "S": "scheduler",
    "D": "dag_processor",
    "T": "triggerer",
    "W": "worker",
    "M": "migrate",
}


def actions(statement: dict[str, Any]) -> set[str]:
    """Actions of a statement."""
    given = statement["Action"]
    return {given} if isinstance(given, str) else set(given)


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_name_actions_and_resources(name: str) -> None:
    statement = STATEMENTS[name]
    assert statement["Effect"] == "Allow"
    assert not [action for action in actions(statement) if "*" in action]
    if statement["Resource"] == "*":
        limited = "ecs:cluster" in statement.get("Condition", {}).get("ArnEquals", {})
        assert actions(statement) <= WITHOUT_RESOURCE | ({"ecs:ListTasks"} if limited else set())


def test_queues_carry_the_tags_by_which_workers_finish_those_that_are_no_longer_listed() -> None:
    """Names do not tell: they begin as those of an environment may that is called after this one."""
    assert STATEMENTS["drain"]["Condition"] == {
        "StringEquals": {
            "aws:ResourceTag/sm2a:environment": "{{ cluster_inputs.sm2a_name }}",
            "aws:ResourceTag/sm2a:role": "broker",
        }
    }
    broker = read_yaml(PROJECT / "roles/broker/vars/main.yml")
    assert broker["__broker_own_tags"] == {"sm2a:environment": "{{ broker_inputs.sm2a_name }}", "sm2a:role": "broker"}
    assert broker["__broker_role_tag"] == "sm2a:task_role"


def test_the_autoscaler_stops_workers_only(tmp_path: Path) -> None:
    """IAM tells them by a tag, which tasks get from their services."""
    (statement,) = (found for found in STATEMENTS.values() if "ecs:StopTask" in actions(found))
    assert statement["Condition"] == {
        "StringEquals": {"aws:ResourceTag/sm2a:component": "worker"},
        "ArnEquals": {"ecs:cluster": "{{ __cluster_arn }}"},
    }
    names = [*("api-server", "scheduler", "dag-processor", "triggerer"), "worker-default"]
    more = {
        "__airflow_registered": {"arns": {f"unit-{name}": name for name in names}},
        "airflow_subnet_ids": [],
        "airflow_security_group_ids": dict.fromkeys(LETTERS.values(), "group"),
        "airflow_target_group_arn": "target",
        "airflow_namespace_arn": "namespace",
        "airflow_task_role_arns": {"worker": "arn:aws:iam::123456789012:role/path/unit-worker"},
    }
    (services,) = render(tmp_path, "airflow", VARIABLE_FILES, "__airflow_service_definitions", [GIVEN | more])
    assert [service["name"] for service in services] == names
    for service in services:
        assert service["propagate_tags"] == "SERVICE"
        workers = {"sm2a:component": "worker", "sm2a:task_role": "unit-worker"}
        assert (service["tags"] == workers) == service["name"].startswith("worker-")


def test_every_policy_uses_known_statements_and_its_own_secrets() -> None:
    for component, statements in POLICIES["__cluster_policies"].items():
        own, *shared = statements
        assert f"'{component}' | sm2a.airflow.component_secrets" in own["Resource"]
        assert ("cluster_inputs.config_secret_names" in own["Resource"]) == (component != "autoscaler")
        names = [re.fullmatch(r"\{\{ __cluster_statements\.(\w+) \}\}", each) for each in shared]
        assert all(match and match[1] in POLICIES["__cluster_statements"] for match in names), component


def documented_secrets() -> dict[str, dict[str, str]]:
    """Component to option to secret, from the table in the image's README."""
    text = (PROJECT / "docker/airflow/README.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    header = next(row for row in rows if row[2:] == list(LETTERS))
    table: dict[str, dict[str, str]] = {component: {} for component in LETTERS.values()}
    for row in rows[rows.index(header) + 2 :]:
        if len(row) != len(header) or not row[0].endswith("_SECRET`"):
            break
        for letter, mark in zip(header[2:], row[2:], strict=True):
            if mark == "x":
                table[LETTERS[letter]][row[0].strip("`")] = row[1].strip("`")
    return table


def given_secrets(component: str) -> dict[str, str]:
    """Option to secret, as the role airflow sets them for a component."""
    options: dict[str, str] = {}
    for reference in ENVIRONMENT["__airflow_environment"][component]:
        match = re.fullmatch(r"\{\{ (__airflow_secret_\w+) \}\}", reference)
        options.update(ENVIRONMENT[match[1]] if match else {})
    return options


@pytest.mark.parametrize("component", LETTERS.values())
def test_a_component_gets_and_may_read_exactly_the_documented_secrets(component: str) -> None:
    documented = documented_secrets()[component]
    assert documented, "the table in docker/airflow/README.md was not found"
    assert given_secrets(component) == documented
    # An earlier release's scheduler, to which ECS may go back, reads results as the workers' user.
    earlier = ["result_backend"] if component == "scheduler" else []
    assert sorted(CONFIGURATION[component]) == sorted([*documented.values(), *earlier])


def test_who_serves_live_logs_knows_the_key_that_signs_the_requests_for_them() -> None:
    for component in ("api_server", "worker", "triggerer"):
        assert given_secrets(component)["AIRFLOW__API__SECRET_KEY_SECRET"] == "api_secret_key"


def test_documented_variables_are_set() -> None:
    text = (PROJECT / "docker/airflow/README.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`((?:AIRFLOW__|SM2A_|FORWARDED_|AWS_)[A-Z0-9_]+)`", text))
    set_here = (PROJECT / "roles/airflow/vars/environment.yml").read_text(encoding="utf-8")
    # Per group, and per database.
    for name in ("task_definitions", "database_client"):
        set_here += (PROJECT / f"plugins/plugin_utils/{name}.py").read_text(encoding="utf-8")
    # The metrics sidecar has defaults of its own for these.
    by_default = {"SM2A_METRICS_ALIVE_FILE", "SM2A_METRICS_LIMIT", "SM2A_METRICS_PORT", "SM2A_METRICS_SECONDS"}
    assert [name for name in sorted(documented - by_default) if name not in set_here] == []
