# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Sizes, worker groups, Airflow options and DAG sources that are refused before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow import problems, size_problem
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_config import OWN_SECRETS, OWNED
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import defaults, read_yaml, role_names

GROUP = {"name": "heavy", "queue": "heavy", "cpu": 2048, "memory": 4096, "concurrency": 4, "min": 0, "max": 2}


def every_default() -> dict[str, Any]:
    """Defaults of every role."""
    return {name: value for role in role_names() for name, value in defaults(role).items()}


def test_the_defaults_are_right() -> None:
    assert problems(every_default()) == []


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [(256, 512), (256, 2048), (512, 4096), (1024, 3072), (4096, 30720), (8192, 20480), (16384, 122880)],
)
def test_sizes_that_fargate_has(cpu: int, memory: int) -> None:
    assert size_problem(cpu, memory) is None


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [(300, 512), (256, 1536), (256, 4096), (512, 512), (1024, 2500), (4096, 4096), (8192, 17408), (16384, 131072)],
)
def test_sizes_that_fargate_does_not_have(cpu: int, memory: int) -> None:
    assert size_problem(cpu, memory)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "component size": (
        {"airflow_scheduler_cpu": 1024, "airflow_scheduler_memory": 1024},
        "airflow_scheduler_cpu, airflow_scheduler_memory: with 1024 CPU units Fargate offers 2048 to 8192",
    ),
    "no scheduler": ({"airflow_scheduler_count": 0}, "airflow_scheduler_count: must be 1 or more"),
    "owned option": (
        {"airflow_config": {"celery": {"worker_concurrency": 8}}},
        "airflow_config.celery.worker_concurrency: is set by SM2A; use concurrency of airflow_worker_groups",
    ),
    "secret option": (
        {"airflow_config": {"sentry": {"sentry_dsn": "https://canary"}}},
        "airflow_config.sentry.sentry_dsn: is a secret and belongs in Secrets Manager (name its secret in "
        "airflow_config_secrets)",
    ),
    "secret option by command": (
        {"airflow_config": {"core": {"fernet_key_cmd": "cat /canary"}}},
        "airflow_config.core.fernet_key_cmd: is a secret",
    ),
    "secret option by name of a secret": (
        {"airflow_config": {"database": {"sql_alchemy_conn_secret": "canary"}}},
        "airflow_config.database.sql_alchemy_conn_secret: is a secret",
    ),
    "list as a value": (
        {"airflow_config": {"core": {"x": [1]}}},
        "airflow_config.core.x: must be a string, number or boolean",
    ),
    "no value": (
        {"airflow_config": {"core": {"x": None}}},
        "airflow_config.core.x: must be a string, number or boolean",
    ),
    "no section": ({"airflow_config": {"parallelism": 4}}, "airflow_config.parallelism: must be a dictionary"),
    "upper case": (
        {"airflow_config": {"CORE": {"x": 1}}},
        "airflow_config.CORE.x: section and option must be lower-case",
    ),
    "own secret": (
        {"airflow_config_secrets": {"core": {"fernet_key": "mine"}}},
        "airflow_config_secrets.core.fernet_key: is set by SM2A",
    ),
    "no secret option": (
        {"airflow_config_secrets": {"core": {"parallelism": "mine"}}},
        "airflow_config_secrets.core.parallelism: Airflow reads no such option from Secrets Manager",
    ),
    "whole name of a secret": (
        {"airflow_config_secrets": {"sentry": {"sentry_dsn": "a/b"}}},
        "airflow_config_secrets.sentry.sentry_dsn: must be the last part",
    ),
    "two groups of a name": (
        {"airflow_worker_groups": [GROUP, {**GROUP, "queue": "other"}]},
        "airflow_worker_groups: 2 groups have the name heavy",
    ),
    "two groups on a queue": (
        {"airflow_worker_groups": [GROUP, {**GROUP, "name": "other"}]},
        "airflow_worker_groups: 2 groups have the queue heavy; a queue has one group",
    ),
    "group name": (
        {"airflow_worker_groups": [{**GROUP, "name": "Heavy_1"}]},
        "airflow_worker_groups, group Heavy_1: name must be at most 32 lower-case",
    ),
    "group size": (
        {"airflow_worker_groups": [{**GROUP, "memory": 512}]},
        "airflow_worker_groups, group heavy: with 2048 CPU units Fargate offers",
    ),
    "min above max": (
        {"airflow_worker_groups": [{**GROUP, "min": 3}]},
        "airflow_worker_groups, group heavy: min and max must satisfy",
    ),
    "no concurrency": (
        {"airflow_worker_groups": [{**GROUP, "concurrency": 0}]},
        "airflow_worker_groups, group heavy: concurrency must be 1",
    ),
    "storage": (
        {"airflow_worker_groups": [{**GROUP, "ephemeral_storage_gib": 20}]},
        "airflow_worker_groups, group heavy: ephemeral_storage_gib must be 21 to 200",
    ),
    "own variable": (
        {"airflow_worker_groups": [{**GROUP, "environment": {"SM2A_LIVENESS_FILE": "/x"}}]},
        "airflow_worker_groups, group heavy: environment.SM2A_LIVENESS_FILE: is set by SM2A",
    ),
    "variable that Celery takes": (
        {"airflow_worker_groups": [{**GROUP, "environment": {"CELERY_RESULT_BACKEND": "db+sqlite://"}}]},
        "environment.CELERY_RESULT_BACKEND: is set by SM2A",
    ),
    "other configuration file": (
        {"airflow_worker_groups": [{**GROUP, "environment": {"AIRFLOW_CONFIG": "/tmp/airflow.cfg"}}]},
        "environment.AIRFLOW_CONFIG: is set by SM2A",
    ),
    "owned option as a variable": (
        {"airflow_worker_groups": [{**GROUP, "environment": {"AIRFLOW__CORE__EXECUTOR": "x"}}]},
        "environment.AIRFLOW__CORE__EXECUTOR: is set by SM2A",
    ),
    "credential": (
        {"airflow_worker_groups": [{**GROUP, "environment": {"AWS_ACCESS_KEY_ID": "canary"}}]},
        "environment.AWS_ACCESS_KEY_ID: is a credential",
    ),
    "every action": (
        {"airflow_worker_groups": [{**GROUP, "policy_statements": [{"Effect": "Allow", "Action": "s3:*"}]}]},
        "airflow_worker_groups, group heavy: policy_statements: s3:* allows too much",
    ),
    "architecture of a group": (
        {"images_platforms": ["linux/amd64"], "airflow_worker_groups": [{**GROUP, "cpu_architecture": "ARM64"}]},
        "airflow_worker_groups, group heavy: ARM64 needs linux/arm64 in images_platforms, which has linux/amd64",
    ),
    "architecture of the autoscaler": (
        {"images_platforms": ["linux/amd64"], "autoscaler_cpu_architecture": "ARM64"},
        "autoscaler_cpu_architecture: ARM64 needs linux/arm64",
    ),
    "git without a repository": ({"airflow_dags_source": "git"}, "airflow_dags_source: git needs airflow_dags_git_url"),
    "s3 without a bucket": (
        {"airflow_dags_source": "s3", "storage_dags_bucket": False},
        "airflow_dags_source: s3 needs storage_dags_bucket: true",
    ),
    "secrets of a group that shares a role": (
        {"airflow_worker_groups": [GROUP], "secrets_group_connections": {"heavy": {"warehouse": "canary"}}},
        "secrets_group_connections: heavy is not a group in airflow_worker_groups with own_task_role",
    ),
    "a secret without a name": (
        {
            "airflow_worker_groups": [{**GROUP, "own_task_role": True}],
            "secrets_group_connections": {GROUP["name"]: "canary"},
        },
        f"secrets_group_connections, group {GROUP['name']}: must be a dictionary of names and values",
    ),
    "secrets of no group": (
        {"airflow_worker_groups": [], "secrets_group_variables": {"heavy": {"limits": "canary"}}},
        "secrets_group_variables: heavy is not a group in airflow_worker_groups with own_task_role",
    ),
    **{
        f"git address {url}": (
            {"airflow_dags_source": "git", "airflow_dags_git_url": url},
            "airflow_dags_git_url: must be the address of a repository",
        )
        for url in ("not a url", "file:///etc", "/srv/repo", "ssh://git@git.example.com:abc/x", "git.example.com")
    },
    "image by tag": ({"images_airflow_image": "example/airflow:1"}, "images_airflow_image: must name the image by its"),
}


@pytest.mark.parametrize(("values", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_wrong_values_are_named(values: dict[str, Any], sentence: str) -> None:
    found = problems(values)
    assert len(found) == 1
    assert sentence in found[0]
    assert "canary" not in found[0]


def test_what_users_may_set_is_accepted() -> None:
    values = {
        "airflow_config": {
            "core": {"parallelism": 64, "max_active_tasks_per_dag": "8"},
            "fab": {"auth_rate_limit": "5 per 40 second", "cookie_secure": False},
        },
        "airflow_config_secrets": {"sentry": {"sentry_dsn": "sentry-dsn"}},
        "airflow_worker_groups": [
            {
                **GROUP,
                "cpu_architecture": "ARM64",
                "ephemeral_storage_gib": 100,
                "environment": {"AIRFLOW__CORE__DEFAULT_TASK_RETRIES": 3, "TZ": "UTC"},
                "policy_statements": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::a/*"}],
            }
        ],
        "secrets_group_connections": {"heavy": {"warehouse": "postgresql://warehouse.example.com"}},
        "airflow_dags_source": "git",
        "airflow_dags_git_url": "git@example.com:team/dags.git",
        "images_platforms": ["linux/amd64", "linux/arm64"],
        "images_airflow_image": f"example/airflow@sha256:{'0' * 64}",
    }
    assert problems(values) == []


def test_what_the_role_sets_is_refused_unless_it_is_a_default_to_change() -> None:
    """An option that the role sets and that is neither owned nor secret may be changed by the user: say which."""
    environment = read_yaml(PROJECT / "roles/airflow/vars/environment.yml")
    names = {name for value in environment.values() if isinstance(value, dict) for name in value}
    options = {
        (section.lower(), option.lower().removesuffix("_secret"))
        for _prefix, section, option in (name.split("__") for name in names if name.startswith("AIRFLOW__"))
    }
    assert {".".join(pair) for pair in options - OWNED.keys() - OWN_SECRETS} == {
        "api.enable_swagger_ui",
        "celery.operation_timeout",
        "celery.sync_parallelism",
        "celery_broker_transport_options.polling_interval",
        "celery_broker_transport_options.wait_time_seconds",
        "core.default_task_retries",
        "core.load_examples",
        "core.parallelism",
        "fab.cookie_secure",
        "logging.delete_local_logs",
        "workers.execution_api_retries",
        "workers.execution_api_timeout",
    }
