# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The endpoints that the role network makes where nothing else leads to AWS are those that tasks need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.stack import private_network
from ansible_collections.sm2a.airflow.tests.unit.roles.rendering import render

VARIABLE_FILES = ("defaults/main.yml", "vars/main/main.yml", "vars/main/endpoints.yml")
CASES: dict[str, dict[str, Any]] = {
    "endpoints": {"network_egress": "endpoints", "network_interface_endpoint_services": []},
    "narrow": {"network_https_egress_cidrs": [], "network_interface_endpoints": True},
    "exec": {"network_egress": "endpoints", "network_extra_interface_endpoint_services": ["ssmmessages"]},
    "nat": {"network_interface_endpoints": True, "network_extra_interface_endpoint_services": ["ssmmessages"]},
    "cheap": {"network_interface_endpoints": False},
}
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/unit/airflow@sha256:0"
# As all of SM2A are.
DEFINITION = {
    "family": "unit-worker",
    "containerDefinitions": [{"image": IMAGE, "logConfiguration": {"logDriver": "awslogs"}}],
}


def lacking(endpoints: set[str], execute_command: bool) -> list[str]:
    return list(private_network.lacking(private_network.of_task_definition(DEFINITION, execute_command), endpoints))


def test_what_fargate_needs_has_an_endpoint_where_nothing_else_leads_to_aws(tmp_path: Path) -> None:
    rendered = render(tmp_path, "network", VARIABLE_FILES, "__network_plain_endpoints", list(CASES.values()))
    made = {name: {one["service"] for one in found} for name, found in zip(CASES, rendered, strict=True)}
    assert [lacking(made[name], execute_command=False) for name in ("endpoints", "narrow", "exec")] == [[], [], []]
    # ECS Exec is added by site.yml where it is on.
    assert lacking(made["endpoints"], execute_command=True) == ["ssmmessages"]
    assert lacking(made["exec"], execute_command=True) == []
    # With a way out they are not needed, and cost.
    assert made["nat"] == {"s3", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "sqs"}
    assert made["cheap"] == {"s3"}
