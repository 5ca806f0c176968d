# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""service_discovery_namespace against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.modules import (
    Ladder,
    ModuleFailedError,
    RunModule,
    placeholders,
)

Aws = Callable[[str], Any]
MODULE = "service_discovery_namespace"


def describe(aws: Aws, name: str) -> list[dict[str, Any]]:
    """Every namespace of that name, with its tags."""
    cloud_map = aws("servicediscovery")
    found = [item for item in cloud_map.list_namespaces()["Namespaces"] if item["Name"] == name]
    return [{**item, "Tags": cloud_map.list_tags_for_resource(ResourceARN=item["Arn"])["Tags"]} for item in found]


def test_ladder(ladder: Callable[..., Ladder], aws: Aws, unique_name: str) -> None:
    results = ladder(
        MODULE,
        {"name": unique_name, "description": "Internal names", "tags": {"team": "data"}},
        {"name": unique_name, "state": "absent"},
        lambda: describe(aws, unique_name),
    )
    namespace = results.applied["namespace"]
    assert namespace["arn"].endswith(f":namespace/{namespace['id']}")
    assert (namespace["description"], namespace["tags"]) == ("Internal names", {"team": "data"})
    assert results.repeated["namespace"] == namespace
    assert results.predicted["namespace"].keys() == namespace.keys()
    assert ":namespace/ns-" in results.predicted["namespace"]["arn"]


@pytest.mark.parametrize("change", [{"description": "Other"}, {"tags": {"team": "other"}}, {"tags": {}}])
def test_description_and_tags_are_enforced(
    run_module: RunModule, aws: Aws, unique_name: str, change: dict[str, Any]
) -> None:
    args = {"name": unique_name, "description": "Internal names", "tags": {"team": "data"}}
    run_module(MODULE, args)
    before = describe(aws, unique_name)
    assert run_module(MODULE, {**args, **change}, check=True)["changed"]
    assert describe(aws, unique_name) == before
    assert run_module(MODULE, {**args, **change})["changed"]
    assert describe(aws, unique_name) != before
    assert not run_module(MODULE, {**args, **change})["changed"]
    assert not run_module(MODULE, {"name": unique_name})["changed"], "unset options were not left alone"


def test_left_over_services_go_only_on_request(run_module: RunModule, aws: Aws, unique_name: str) -> None:
    other = f"{unique_name}-other"
    ids = {name: run_module(MODULE, {"name": name})["namespace"]["id"] for name in (unique_name, other)}
    cloud_map = aws("servicediscovery")
    for name, namespace in ids.items():
        made = cloud_map.create_service(Name=f"api-{name}", NamespaceId=namespace)["Service"]
        cloud_map.register_instance(
            ServiceId=made["Id"], InstanceId=f"{name}-1", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"}
        )
    with pytest.raises(ModuleFailedError, match="delete a Cloud Map namespace"):
        run_module(MODULE, {"name": unique_name, "state": "absent"})
    assert describe(aws, unique_name)
    assert run_module(MODULE, {"name": unique_name, "state": "absent", "purge_services": True})["changed"]
    assert not describe(aws, unique_name)
    left = [item["Name"] for item in cloud_map.list_services()["Services"]]
    assert f"api-{other}" in left, "a service of another namespace was deleted"


def test_info_reads_the_namespace(run_module: RunModule, unique_name: str) -> None:
    asked = {"name": unique_name}
    [made_up] = placeholders(run_module, "service_discovery_namespace_info", asked, "namespaces")
    predicted = run_module(MODULE, asked, check=True)["namespace"]
    assert made_up == {"name": unique_name, "id": predicted["id"], "arn": predicted["arn"], "exists": False}
    made = run_module(MODULE, {**asked, "tags": {"team": "data"}})["namespace"]
    assert run_module("service_discovery_namespace_info", asked)["namespaces"] == [{**made, "exists": True}]
