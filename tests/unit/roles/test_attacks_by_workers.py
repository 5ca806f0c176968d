# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the code of a task can do with the credentials of its worker: its own work, and nothing of another team's."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.access import allowed
from ansible_collections.sm2a.airflow.tests.unit.roles.rendering import render

ACCOUNT = "123456789012"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:prod-"
SECRET = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:prod/"
TASK = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/prod/0123456789abcdef0123456789abcdef"
LOG = "arn:aws:s3:::prod-logs/airflow/dag_id=payroll/run_id=scheduled/task_id=pay/attempt=1.log"
GRANT = {"Sid": "Lake", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/*"}
# Two groups with the role of all, and two teams.
GROUPS = [
    {"name": "default", "queue": "default"},
    {"name": "heavy", "queue": "heavy"},
    {"name": "payments", "queue": "payments", "own_task_role": True, "policy_statements": [GRANT]},
    {"name": "science", "queue": "research", "policy_statements": [GRANT]},
]
SHARED, PAYMENTS, SCIENCE = "prod-worker", "prod-worker-payments", "prod-worker-science"
WORKERS = (SHARED, PAYMENTS, SCIENCE)
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer", "migrate", "autoscaler")
EVERYBODY = (*(f"prod-{name}" for name in COMPONENTS), *WORKERS)
QUEUES = {"default": SHARED, "heavy": SHARED, "payments": PAYMENTS, "research": SCIENCE}
USE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
Roles = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Roles:
    """The statements of each task role, as the role cluster renders them."""
    given = {
        "sm2a_name": "prod",
        "cluster_queue_arns": [QUEUE + queue for queue in QUEUES],
        "cluster_kms_key_arn": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1",
        "cluster_logs_bucket_arn": "arn:aws:s3:::prod-logs",
        "cluster_master_secret_arn": f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:rds!db-1",
        "cluster_worker_groups": GROUPS,
        "cluster_dags_uris": ["s3://dags/main"],
        "__cluster_identity": {"account_id": ACCOUNT, "region": "eu-west-1", "partition": "aws"},
    }
    files = ("defaults/main.yml", "vars/main.yml", "vars/policies.yml")
    (found,) = render(tmp_path_factory.mktemp("roles"), "cluster", files, "__cluster_task_roles", [given])
    statements = {role["name"]: role["statements"] for role in found}
    assert sorted(statements) == sorted(EVERYBODY)
    return statements


def tagged(kind: str, role: str) -> dict[str, str]:
    """The tags of a queue or of a worker's task, as a condition sees them."""
    own = {"sm2a:component": "worker"} if kind == "task" else {"sm2a:role": "broker"}
    tags = {"sm2a:environment": "prod", "sm2a:task_role": role, **own}
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


@pytest.mark.parametrize("kind", ["connections", "variables"])
@pytest.mark.parametrize("group", ["payments", "science"])
def test_only_its_own_workers_read_the_secrets_of_a_team(roles: Roles, group: str, kind: str) -> None:
    secret = f"{SECRET}groups/{group}/{kind}/warehouse-AbCdEf"
    readers = [name for name in EVERYBODY if allowed(roles[name], "secretsmanager:GetSecretValue", secret)]
    assert readers == [f"prod-worker-{group}"]


def test_a_team_reads_what_all_share_through_the_api_server_only(roles: Roles) -> None:
    readers = [
        name
        for name in EVERYBODY
        if allowed(roles[name], "secretsmanager:GetSecretValue", f"{SECRET}connections/warehouse-AbCdEf")
    ]
    assert readers == ["prod-api-server", "prod-dag-processor", "prod-triggerer", SHARED]


@pytest.mark.parametrize("action", USE)
@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_is_used_by_the_workers_of_its_group(roles: Roles, queue: str, action: str) -> None:
    tags = tagged("queue", QUEUES[queue])
    assert [name for name in WORKERS if allowed(roles[name], action, QUEUE + queue, tags)] == [QUEUES[queue]]


def test_nobody_but_the_scheduler_puts_a_task_into_a_queue(roles: Roles) -> None:
    for queue, owner in QUEUES.items():
        tags = tagged("queue", owner)
        senders = [name for name in EVERYBODY if allowed(roles[name], "sqs:SendMessage", QUEUE + queue, tags)]
        assert senders == ["prod-scheduler"]


@pytest.mark.parametrize("role", WORKERS)
def test_a_queue_that_is_no_longer_listed_is_finished_by_those_who_used_it(roles: Roles, role: str) -> None:
    tags = tagged("queue", role)
    assert [name for name in WORKERS if allowed(roles[name], "sqs:ReceiveMessage", f"{QUEUE}old", tags)] == [role]
    # Whoever takes over the queue lists it before its tag changes: both use it until then.
    other = tagged("queue", SCIENCE if role != SCIENCE else SHARED)
    mine = next(queue for queue, owner in QUEUES.items() if owner == role)
    assert allowed(roles[role], "sqs:ReceiveMessage", QUEUE + mine, other)


def test_nobody_takes_dead_letters_or_messages_of_an_environment_called_alike(roles: Roles) -> None:
    dead = {"aws:ResourceTag/sm2a:environment": "prod", "aws:ResourceTag/sm2a:role": "broker"}
    for name in WORKERS:
        assert not allowed(roles[name], "sqs:ReceiveMessage", f"{QUEUE}dead-letter", dead)
        other = tagged("queue", name) | {"aws:ResourceTag/sm2a:environment": "prod-eu"}
        assert not allowed(roles[name], "sqs:ReceiveMessage", f"{QUEUE}eu-default", other)


@pytest.mark.parametrize("action", ["ecs:UpdateTaskProtection", "ecs:GetTaskProtection"])
def test_a_worker_protects_workers_of_its_own_role_only(roles: Roles, action: str) -> None:
    for name in WORKERS:
        protected = [owner for owner in WORKERS if allowed(roles[name], action, TASK, tagged("task", owner))]
        assert protected == [name]
        scheduler = {"aws:ResourceTag/sm2a:component": "scheduler", "aws:ResourceTag/sm2a:environment": "prod"}
        assert not allowed(roles[name], action, TASK, scheduler)
        assert not allowed(roles[name], action, TASK.replace("/prod/", "/other/"), tagged("task", name))


@pytest.mark.parametrize("action", ["ecs:StopTask", "ecs:DescribeTasks", "ecs:ListTasks", "ecs:UpdateService"])
def test_a_worker_does_nothing_else_to_tasks(roles: Roles, action: str) -> None:
    service = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/prod/worker-default"
    for name in WORKERS:
        for resource in (TASK, service, "*"):
            assert not allowed(roles[name], action, resource, tagged("task", name))


@pytest.mark.parametrize("name", [*WORKERS, "prod-triggerer"])
def test_who_writes_logs_neither_reads_nor_changes_those_of_others(roles: Roles, name: str) -> None:
    new = {"s3:if-none-match": "*"}
    assert allowed(roles[name], "s3:PutObject", LOG, new)
    assert not allowed(roles[name], "s3:PutObject", LOG)
    assert not allowed(roles[name], "s3:GetObject", LOG)
    assert not allowed(roles[name], "s3:DeleteObject", LOG)
    assert not allowed(roles[name], "s3:ListBucket", "arn:aws:s3:::prod-logs", {"s3:prefix": "airflow/"})


def test_only_the_api_server_reads_logs(roles: Roles) -> None:
    assert [name for name in EVERYBODY if allowed(roles[name], "s3:GetObject", LOG)] == ["prod-api-server"]


def test_a_team_has_what_it_was_given(roles: Roles) -> None:
    lake = "arn:aws:s3:::lake/facts"
    assert [name for name in EVERYBODY if allowed(roles[name], "s3:GetObject", lake)] == [PAYMENTS, SCIENCE]


def test_the_autoscaler_starts_workers_only(roles: Roles) -> None:
    service = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/prod/worker-default"
    definition = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/prod-"
    role = roles["prod-autoscaler"]
    assert allowed(role, "ecs:UpdateService", service)
    assert allowed(role, "ecs:UpdateService", service, {"ecs:task-definition": f"{definition}worker-default:3"})
    for family in ("migrate:1", "api-server:1"):
        assert not allowed(role, "ecs:UpdateService", service, {"ecs:task-definition": definition + family})
    assert not allowed(role, "ecs:UpdateService", service.replace("worker-default", "scheduler"))


def test_a_role_decrypts_through_the_services_that_it_uses(roles: Roles) -> None:
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
    used = {
        name: [
            service
            for service in ("secretsmanager", "s3", "sqs", "rds")
            if allowed(roles[name], "kms:Decrypt", key, {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com"})
        ]
        for name in EVERYBODY
    }
    dags = ["secretsmanager", "s3"]
    assert used == {
        "prod-api-server": ["secretsmanager", "s3"],
        "prod-scheduler": ["secretsmanager", "sqs"],
        "prod-dag-processor": dags,
        "prod-triggerer": ["secretsmanager"],
        "prod-migrate": ["secretsmanager"],
        "prod-autoscaler": ["secretsmanager"],
        **{name: [*dags, "sqs"] for name in WORKERS},
    }
    assert not any(allowed(roles[name], "kms:Decrypt", key) for name in EVERYBODY)
