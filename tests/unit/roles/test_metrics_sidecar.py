# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The metrics sidecar in the task definitions of the role airflow, as the role's own templates render them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.roles.rendering import render

VARIABLE_FILES = ("defaults/main.yml", "vars/main.yml", "vars/environment.yml", "vars/components.yml")
ROLES = ("api_server", "scheduler", "dag_processor", "triggerer", "worker", "migrate")
# What the playbook gives the role.
GIVEN = {
    "sm2a_name": "unit",
    "airflow_image": "image@sha256:0",
    "airflow_region": "eu-west-1",
    "airflow_vpc_cidr": "10.0.0.0/16",
    "airflow_url": "https://airflow.example.com",
    "airflow_execution_role_arn": "execution",
    "airflow_task_role_arns": dict.fromkeys(ROLES, "task-role"),
    "airflow_log_group_names": {role: f"/sm2a/unit/{role}" for role in ROLES},
    "airflow_queues": {"default": {"url": "http://queue"}},
    "airflow_visibility_timeout": 3600,
    "airflow_task_queued_timeout": 7200,
    "airflow_logs_uri": "s3://logs/airflow",
    "airflow_database": {
        "engine": "postgres",
        "address": "database",
        "port": 5433,
        "database_name": "airflow",
        "master_secret_arn": "master",
        "user_secret_name": "user",
        "result_database_name": "results",
        "result_user_secret_name": "result-user",
        "result_reader_secret_name": "result-reader",
        "autoscaler_user_secret_name": "autoscaler-user",
        "dag_processor_user_secret_name": "dag-processor-user",
        "triggerer_user_secret_name": "triggerer-user",
        "tls_verification": True,
    },
}
Definitions = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Definitions]:
    """The task definitions by their family's last part, without and with the sidecar."""
    folder, cases = (
        tmp_path_factory.mktemp("render"),
        [{**GIVEN, "airflow_metrics_enabled": on} for on in (False, True)],
    )
    without, with_sidecar = render(folder, "airflow", VARIABLE_FILES, "__airflow_task_definitions", cases)
    return {False: by_family(without), True: by_family(with_sidecar)}


def by_family(definitions: list[dict[str, Any]]) -> Definitions:
    return {definition["family"].removeprefix("unit-"): definition for definition in definitions}


def containers(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {container["name"]: container for container in definition["container_definitions"]}


def test_by_default_there_is_no_sidecar_and_airflow_sends_nothing(rendered: dict[bool, Definitions]) -> None:
    for definition in rendered[False].values():
        (container,) = definition["container_definitions"]
        assert not [name for name in container["environment"] if "METRICS" in name]
        assert "depends_on" not in container


@pytest.mark.parametrize("name", ["api-server", "scheduler", "dag-processor", "triggerer", "worker-default"])
def test_each_component_has_one_that_the_task_can_live_without(rendered: dict[bool, Definitions], name: str) -> None:
    first, second = rendered[True][name]["container_definitions"]
    assert second["name"] == "metrics"
    assert not second["essential"]
    assert second["readonly_root_filesystem"]
    assert second["user"] == "50000:50000"
    assert second["linux_parameters"]["capabilities"] == {"drop": ["ALL"]}
    assert (second["cpu"], second["memory"]) == (32, 64)
    assert second["command"] == ["python", "-m", "sm2a_runtime.metrics.sidecar", "serve"]
    assert second["health_check"]["command"][-1] == "check"
    assert second["image"] == first["image"]
    assert second["log_configuration"] == first["log_configuration"]
    assert second["environment"]["SM2A_METRICS_COMPONENT"] == name
    assert second["environment"]["SM2A_METRICS_DIMENSIONS"] == "dag_id,pool_name,queue"
    assert first["depends_on"] == [{"container_name": "metrics", "condition": "START"}]
    assert not [name for name in second["environment"] if name.startswith("AIRFLOW__")], "the sidecar knows no secret"


def test_airflow_sends_tagged_names_that_are_allowed_to_it(rendered: dict[bool, Definitions]) -> None:
    environment = containers(rendered[True]["scheduler"])["scheduler"]["environment"]
    told = {
        name.removeprefix("AIRFLOW__METRICS__"): value for name, value in environment.items() if "METRICS__" in name
    }
    allowed = told.pop("METRICS_ALLOW_LIST").split(",")
    assert told == {
        "STATSD_ON": "True",
        "STATSD_HOST": "127.0.0.1",
        "STATSD_PORT": "8125",
        "STATSD_INFLUXDB_ENABLED": "True",
        "LEGACY_NAMES_ON": "False",
    }
    assert r"^pool\.(open_slots|queued_slots|running_slots|starving_tasks)" in allowed


def test_the_migration_has_none(rendered: dict[bool, Definitions]) -> None:
    assert list(containers(rendered[True]["migrate"])) == ["migrate"]
