# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ecs_cluster against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.modules import Ladder, ModuleFailedError, RunModule

Aws = Callable[[str], Any]


def full(name: str) -> dict[str, Any]:
    """Arguments that set every option."""
    return {
        "name": name,
        "settings": {"containerInsights": "enhanced"},
        "capacity_providers": ["FARGATE_SPOT", "FARGATE"],
        "default_capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 1, "base": 1}],
        "service_connect_namespace": "arn:aws:servicediscovery:eu-west-1:000000000000:namespace/ns-1",
        "execute_command_configuration": {"logging": "DEFAULT"},
        "tags": {"team": "data"},
    }


def describe(aws: Aws, name: str) -> dict[str, Any] | None:
    """The cluster in the API's own words, or None."""
    found = aws("ecs").describe_clusters(clusters=[name], include=["SETTINGS", "CONFIGURATIONS", "TAGS"])["clusters"]
    active = [cluster for cluster in found if cluster["status"] == "ACTIVE"]
    return active[0] if active else None


def test_ladder(ladder: Callable[..., Ladder], aws: Aws, unique_name: str) -> None:
    results = ladder(
        "ecs_cluster",
        full(unique_name),
        {"name": unique_name, "state": "absent"},
        lambda: describe(aws, unique_name),
    )
    cluster = results.applied["cluster"]
    assert cluster == results.repeated["cluster"]
    assert cluster["settings"] == {"containerInsights": "enhanced"}
    assert cluster["capacity_providers"] == ["FARGATE", "FARGATE_SPOT"]
    assert cluster["tags"] == {"team": "data"}
    assert results.predicted["cluster"].keys() == cluster.keys()


CHANGES = [
    {"settings": {"containerInsights": "disabled"}},
    {"capacity_providers": ["FARGATE"]},
    {"default_capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT", "weight": 2}]},
    {"default_capacity_provider_strategy": []},
    {"service_connect_namespace": "arn:aws:servicediscovery:eu-west-1:000000000000:namespace/ns-2"},
    {"execute_command_configuration": {"logging": "NONE"}},
    {"tags": {"team": "other"}},
    {"tags": {}},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_option_is_compared_and_enforced(
    run_module: RunModule, aws: Aws, unique_name: str, change: dict[str, Any]
) -> None:
    run_module("ecs_cluster", full(unique_name))
    before = describe(aws, unique_name)
    args = {**full(unique_name), **change}
    assert run_module("ecs_cluster", args, check=True)["changed"]
    assert describe(aws, unique_name) == before
    assert run_module("ecs_cluster", args)["changed"]
    assert describe(aws, unique_name) != before
    assert not run_module("ecs_cluster", args)["changed"]


def test_unset_options_are_left_alone(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    run_module("ecs_cluster", full(unique_name))
    before = describe(aws, unique_name)
    assert not run_module("ecs_cluster", {"name": unique_name})["changed"]
    assert describe(aws, unique_name) == before


def test_tags_can_be_added_without_purging(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    run_module("ecs_cluster", full(unique_name))
    result = run_module("ecs_cluster", {"name": unique_name, "tags": {"cost": "7"}, "purge_tags": False})
    assert result["cluster"]["tags"] == {"team": "data", "cost": "7"}
    cluster = describe(aws, unique_name)
    assert cluster is not None
    assert len(cluster["tags"]) == 2


def test_an_unknown_key_is_refused_before_any_change(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    with pytest.raises(ModuleFailedError, match="unknown key 'loging'"):
        run_module("ecs_cluster", {"name": unique_name, "execute_command_configuration": {"loging": "NONE"}})
    assert describe(aws, unique_name) is None


def test_a_cluster_with_services_is_kept_and_the_error_names_them(
    run_module: RunModule, aws: Aws, unique_name: str
) -> None:
    run_module("ecs_cluster", full(unique_name))
    container = {"name": "web", "image": "example/web"}
    definition = {"family": unique_name, "cpu": 256, "memory": 512, "container_definitions": [container]}
    run_module("ecs_task_definition", {"task_definitions": [definition]})
    aws("ecs").create_service(cluster=unique_name, serviceName="theirs", taskDefinition=unique_name, desiredCount=0)
    with pytest.raises(ModuleFailedError, match=f"{unique_name} still has services: theirs"):
        run_module("ecs_cluster", {"name": unique_name, "state": "absent"})
    aws("ecs").delete_service(cluster=unique_name, service="theirs", force=True)
    assert run_module("ecs_cluster", {"name": unique_name, "state": "absent"})["changed"]


def test_the_exec_configuration_is_replaced_whole(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    encrypted = {
        "kms_key_id": "arn:aws:kms:eu-west-1:000000000000:key/1",
        "logging": "OVERRIDE",
        "log_configuration": {"cloud_watch_log_group_name": "/exec", "cloud_watch_encryption_enabled": True},
    }
    run_module("ecs_cluster", {**full(unique_name), "execute_command_configuration": encrypted})
    plain = {**full(unique_name), "execute_command_configuration": {"logging": "DEFAULT"}}
    assert run_module("ecs_cluster", plain)["changed"]
    cluster = describe(aws, unique_name)
    assert cluster is not None
    assert cluster["configuration"]["executeCommandConfiguration"] == {"logging": "DEFAULT"}
    assert not run_module("ecs_cluster", plain)["changed"]
