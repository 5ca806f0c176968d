# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What each component and each group of workers gets, and what none gets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.task_definitions import (
    Environments,
    Settings,
    task_definitions,
)

ROLES = ("api_server", "scheduler", "worker", "migrate")
COMPONENTS: dict[str, dict[str, Any]] = {
    "api-server": {"role": "api_server", "command": ["airflow", "api-server"], "cpu": 1024, "memory": 2048},
    "migrate": {"role": "migrate", "command": ["migrate"], "cpu": "512", "memory": "1024"},
}
GROUPS: list[dict[str, Any]] = [
    {"name": "default", "queue": "one", "cpu": 1024, "memory": 2048, "concurrency": 4},
    {
        "name": "heavy",
        "queue": "two",
        "cpu": 4096,
        "memory": 8192,
        "concurrency": 16,
        "cpu_architecture": "ARM64",
        "ephemeral_storage_gib": 50,
    },
]
SETTINGS = Settings(
    environment="staging",
    image="image@sha256:0",
    region="eu-west-1",
    cpu_architecture="X86_64",
    execution_role_arn="execution",
    task_role_arns={role: f"role of {role}" for role in ROLES},
    worker_task_role_arns={"heavy": "role of heavy"},
    log_group_names={role: f"log of {role}" for role in ROLES},
    health_check_start_period=180,
    ecs_exec=False,
    metrics=None,
    database={},
)
ENVIRONMENTS = Environments(
    everywhere=[{"A": "everywhere", "B": "everywhere"}],
    by_role={role: [{"B": role, "C": role}] for role in ROLES},
    chosen=[{"C": "chosen"}],
    by_group={"heavy": {"C": "heavy"}},
)


def made(settings: Settings = SETTINGS, environments: Environments = ENVIRONMENTS) -> dict[str, dict[str, Any]]:
    """Definitions by the last part of their family."""
    definitions = task_definitions(COMPONENTS, GROUPS, environments, settings)
    return {definition["family"].removeprefix("staging-"): definition for definition in definitions}


def test_one_for_each_component_and_group() -> None:
    assert list(made()) == ["api-server", "migrate", "worker-default", "worker-heavy"]


def test_size_platform_and_storage() -> None:
    definitions = made()
    assert (definitions["migrate"]["cpu"], definitions["migrate"]["memory"]) == (512, 1024)
    assert definitions["worker-heavy"]["runtime_platform"]["cpu_architecture"] == "ARM64"
    assert definitions["worker-heavy"]["ephemeral_storage"] == {"size_in_gib": 50}
    assert definitions["worker-default"]["runtime_platform"]["cpu_architecture"] == "X86_64"
    assert "ephemeral_storage" not in definitions["worker-default"]


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("api-server", {"A": "everywhere", "B": "api_server", "C": "chosen"}),
        ("worker-default", {"A": "everywhere", "B": "worker", "C": "chosen", "concurrency": "4"}),
        ("worker-heavy", {"A": "everywhere", "B": "worker", "C": "heavy", "concurrency": "16"}),
    ],
)
def test_the_nearest_environment_counts(family: str, expected: dict[str, str]) -> None:
    [container] = made()[family]["container_definitions"]
    concurrency = container["environment"].pop("AIRFLOW__CELERY__WORKER_CONCURRENCY", None)
    assert container["environment"] | ({"concurrency": concurrency} if concurrency else {}) == expected


def test_the_concurrency_may_be_chosen() -> None:
    chosen = replace(ENVIRONMENTS, chosen=[{"AIRFLOW__CELERY__WORKER_CONCURRENCY": "1"}])
    [container] = made(environments=chosen)["worker-default"]["container_definitions"]
    assert container["environment"]["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == "1"


def test_task_roles_are_those_of_the_group_or_of_all_workers() -> None:
    roles = {name: definition["task_role_arn"] for name, definition in made().items()}
    assert roles == {
        "api-server": "role of api_server",
        "migrate": "role of migrate",
        "worker-default": "role of worker",
        "worker-heavy": "role of heavy",
    }


@pytest.mark.parametrize("metrics", [None, {}])
def test_no_container_has_more_rights_than_it_needs(metrics: dict[str, str] | None) -> None:
    for definition in made(replace(SETTINGS, metrics=metrics)).values():
        for container in definition["container_definitions"]:
            assert container["user"] == "50000:50000"
            assert container["readonly_root_filesystem"] is True
            assert container["linux_parameters"]["capabilities"] == {"drop": ["ALL"]}


def test_ecs_exec_needs_a_writable_root() -> None:
    definitions = made(replace(SETTINGS, ecs_exec=True, metrics={}))
    writable = [
        (name, container["name"])
        for name, definition in definitions.items()
        for container in definition["container_definitions"]
        if not container["readonly_root_filesystem"]
    ]
    assert writable == [
        ("api-server", "api-server"),
        ("migrate", "migrate"),
        ("worker-default", "worker"),
        ("worker-heavy", "worker"),
    ]


def test_only_the_web_server_has_a_port_and_the_migration_no_health_check() -> None:
    containers = {name: definition["container_definitions"][0] for name, definition in made().items()}
    assert [name for name, container in containers.items() if "port_mappings" in container] == ["api-server"]
    assert [name for name, container in containers.items() if "health_check" not in container] == ["migrate"]


def test_all_but_the_metrics_container_can_use_the_database() -> None:
    certificates = {"file": "/dev/shm/ca.pem", "pem": "PEM"}
    database = {"address": "db", "port": 5432, "database_name": "airflow", "ca_certificates": certificates}
    for definition in made(replace(SETTINGS, database=database, metrics={"M": "1"})).values():
        main, *beside = definition["container_definitions"]
        assert main["environment"]["SM2A_DATABASE"] == "db:5432/airflow"
        assert main["environment"]["SM2A_DATABASE_CA_CERTIFICATES"] == "PEM"
        assert main["entry_point"][0] == "/bin/sh"
        assert not any("entry_point" in one or "SM2A_DATABASE" in one["environment"] for one in beside)
