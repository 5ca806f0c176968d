# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Queues, services and environments of groups of workers follow from their task roles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.worker_roles import worker_task_roles
from ansible_collections.sm2a.airflow.tests.unit.roles.rendering import render

GROUPS: list[dict[str, Any]] = [{"name": "default", "queue": "default"}, {"name": "team", "queue": "team-queue"}]
ROLES = {"default": "prod-worker", "team-queue": "prod-worker-team"}


@pytest.mark.parametrize(
    "option", [{"own_task_role": True}, {"policy_arns": ["arn"]}, {"policy_statements": [{"Effect": "Allow"}]}]
)
def test_a_group_with_rights_of_its_own_has_a_role_of_its_own(option: dict[str, Any]) -> None:
    assert worker_task_roles([GROUPS[0], GROUPS[1] | option], "prod") == [
        {"group": "default", "queue": "default", "name": "prod-worker", "own": False},
        {"group": "team", "queue": "team-queue", "name": "prod-worker-team", "own": True},
    ]


def test_other_groups_share_one() -> None:
    empty = {"own_task_role": False, "policy_arns": [], "policy_statements": None}
    roles = worker_task_roles([GROUPS[0], GROUPS[1] | empty], "prod")
    assert [(role["name"], role["own"]) for role in roles] == [("prod-worker", False)] * 2


def test_a_queue_changes_its_role_only_after_the_workers_with_the_old_one_are_gone(tmp_path: Path) -> None:
    def existing(tags: dict[str, dict[str, str]]) -> dict[str, Any]:
        found = [{"name": f"prod-{queue}", "tags": each} for queue, each in tags.items()]
        return {
            "sm2a_name": "prod",
            "broker_queues": list(ROLES),
            "broker_task_roles": ROLES,
            "__broker_before": {"queues": found},
        }

    old = {"sm2a:task_role": "prod-worker"}
    cases = [
        existing({}),
        existing({"default": old, "team-queue": old}),
        existing({"default": old, "team-queue": {"sm2a:task_role": "prod-worker-team"}}),
        existing({"default": {}, "team-queue": {}}),
    ]
    files = ("defaults/main.yml", "vars/main.yml")
    made = render(tmp_path, "broker", files, "[__broker_work_queues, __broker_other_roles]", cases)
    tags = [[queue["tags"].get("sm2a:task_role") for queue in queues] for queues, _ in made]
    assert tags == [list(ROLES.values()), ["prod-worker"] * 2, list(ROLES.values()), [None, None]]
    later = [{change["name"]: change["tags"]["sm2a:task_role"] for change in changes} for _, changes in made]
    named = {f"prod-{queue}": role for queue, role in ROLES.items()}
    assert later == [{}, {"prod-team-queue": "prod-worker-team"}, {}, named]


def test_only_a_group_with_a_role_of_its_own_looks_for_secrets_of_its_own(tmp_path: Path) -> None:
    given = {
        "sm2a_name": "prod",
        "airflow_region": "eu-west-1",
        "airflow_worker_groups": [*GROUPS, {"name": "spot", "queue": "spot", "environment": {"NICE": 5}}],
        "airflow_worker_task_role_arns": {"team": "arn:aws:iam::123456789012:role/prod-worker-team"},
    }
    files = ("defaults/main.yml", "vars/main.yml", "vars/environment.yml")
    (environments,) = render(tmp_path, "airflow", files, "__airflow_group_environments", [given])
    assert (environments["default"], environments["spot"]) == ({}, {"NICE": "5"})
    assert sorted(environments["team"]) == [
        "AIRFLOW__SECRETS__BACKEND_KWARGS",
        "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS",
    ]
    for value in environments["team"].values():
        backend = json.loads(value)
        assert backend["connections_prefix"] == "prod/groups/team/connections"
        assert backend["variables_prefix"] == "prod/groups/team/variables"
        assert backend["config_prefix"] == "prod/config"


@pytest.mark.parametrize("account", ["123456789012", "000000000000"])
def test_workers_that_share_a_role_read_no_queue_of_a_role_of_its_own(tmp_path: Path, account: str) -> None:
    """Check mode knows the ARN of a queue that is to be made without its account."""
    queue = f"arn:aws:sqs:eu-west-1:{account}:prod"
    given = {
        "sm2a_name": "prod",
        "cluster_queue_arns": [f"{queue}-default", f"{queue}-team-queue", f"{queue}-team-queue-2"],
        "cluster_kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/a",
        "cluster_logs_bucket_arn": "arn:aws:s3:::prod-logs",
        "cluster_master_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a",
        "cluster_repository_arns": [],
        "cluster_worker_groups": [GROUPS[0], {**GROUPS[1], "own_task_role": True}],
        "__cluster_identity": {"partition": "aws", "region": "eu-west-1", "account_id": "123456789012"},
    }
    files = ("defaults/main.yml", "vars/main.yml", "vars/policies.yml")
    (roles,) = render(tmp_path, "cluster", files, "lookup('template', 'task_roles.yml.j2') | from_yaml", [given])
    (worker,) = (role for role in roles if role["name"] == "prod-worker")
    (receive,) = (one for one in worker["statements"] if one.get("Sid") == "ReceiveTasksAndReturnThem")
    assert receive["Resource"] == [f"{queue}-default", f"{queue}-team-queue-2"]
