# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks as AWS describes them, as hosts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_task_hosts import Host, hosts

ARN = "arn:aws:ecs:eu-west-1:123456789012"
DIGEST = "sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f"
ID = "4b2a0d4e1c3f4a5b8c7d6e5f4a3b2c1d"
# As DescribeTasks answers for a Fargate task of a service with Service Connect and ECS Exec.
WORKER: dict[str, Any] = {
    "taskArn": f"{ARN}:task/staging/{ID}",
    "clusterArn": f"{ARN}:cluster/staging",
    "taskDefinitionArn": f"{ARN}:task-definition/staging-worker-big:7",
    "group": "service:worker-big",
    "availabilityZone": "eu-west-1b",
    "cpu": "1024",
    "memory": "4096",
    "capacityProviderName": "FARGATE_SPOT",
    "launchType": "FARGATE",
    "platformVersion": "1.4.0",
    "lastStatus": "RUNNING",
    "healthStatus": "HEALTHY",
    "startedAt": "2026-11-30T12:00:00+00:00",
    "enableExecuteCommand": True,
    "attachments": [
        {
            "type": "ElasticNetworkInterface",
            "details": [
                {"name": "subnetId", "value": "subnet-1"},
                {"name": "privateIPv4Address", "value": "10.0.1.7"},
            ],
        }
    ],
    "containers": [
        {"name": "ecs-service-connect-x1", "runtimeId": f"{ID}-1", "image": "proxy", "lastStatus": "RUNNING"},
        {
            "name": "worker",
            "runtimeId": f"{ID}-2",
            "image": f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/staging/airflow@{DIGEST}",
            "imageDigest": DIGEST,
            "lastStatus": "RUNNING",
            "healthStatus": "HEALTHY",
            "managedAgents": [{"name": "ExecuteCommandAgent", "lastStatus": "RUNNING"}],
        },
    ],
    "tags": [{"key": "sm2a:component", "value": "worker"}, {"key": "team", "value": "data"}],
}


def host(**changes: Any) -> Host:
    (made,) = hosts([{**WORKER, **changes}])
    return made


def test_a_worker() -> None:
    made = host()
    assert made.name == "worker-big-4b2a0d4e"
    assert made.groups == (
        "service_worker-big",
        "worker_group_big",
        "availability_zone_eu-west-1b",
        "image_digest_a29215f6a35e",
    )
    expected = {
        "task_arn": WORKER["taskArn"],
        "task_id": ID,
        "cluster": "staging",
        "service": "worker-big",
        "component": "worker",
        "worker_group": "big",
        "task_definition": "staging-worker-big:7",
        "started_at": "2026-11-30T12:00:00+00:00",
        "health_status": "HEALTHY",
        "private_ip": "10.0.1.7",
        "availability_zone": "eu-west-1b",
        "cpu": "1024",
        "memory": "4096",
        "launch_type": "FARGATE",
        "capacity_provider": "FARGATE_SPOT",
        "platform_version": "1.4.0",
        "execute_command": True,
        "container_names": ["ecs-service-connect-x1", "worker"],
        "runtime_ids": {"ecs-service-connect-x1": f"{ID}-1", "worker": f"{ID}-2"},
        "container": "worker",
        "image_digest": DIGEST,
        "tags": {"sm2a:component": "worker", "team": "data"},
    }
    assert expected.items() <= made.variables.items()
    assert [one["exec_agent_status"] for one in made.variables["containers"]] == ["", "RUNNING"]


def test_the_connection_goes_to_the_main_container() -> None:
    assert host().connection == {
        "ansible_connection": "sm2a.airflow.ecs_exec",
        "ansible_ecs_exec_cluster": "staging",
        "ansible_ecs_exec_task": WORKER["taskArn"],
        "ansible_ecs_exec_container": "worker",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_remote_tmp": "/root/.ansible/tmp",
        "ansible_pipelining": True,
    }


@pytest.mark.parametrize(
    ("changes", "container"),
    [
        ({"group": "service:worker", "tags": []}, "worker"),
        ({"group": "family:worker", "taskDefinitionArn": f"{ARN}:task-definition/worker:1", "tags": []}, "worker"),
        ({"tags": [{"key": "sm2a:component", "value": "api_server"}]}, "ecs-service-connect-x1"),
        ({"containers": []}, ""),
    ],
)
def test_the_main_container(changes: dict[str, Any], container: str) -> None:
    assert host(**changes).variables["container"] == container


def test_names_of_components_have_hyphens_in_names_of_containers() -> None:
    containers = [{"name": "proxy"}, {"name": "api-server"}]
    tags = [{"key": "sm2a:component", "value": "api_server"}]
    assert host(containers=containers, tags=tags).variables["container"] == "api-server"


def test_a_task_without_a_service_is_called_by_its_family() -> None:
    made = host(group="family:staging-migrate", taskDefinitionArn=f"{ARN}:task-definition/staging-migrate:3", tags=[])
    assert made.name == "staging-migrate-4b2a0d4e"
    assert (made.variables["service"], made.variables["worker_group"]) == ("", "")
    assert not [group for group in made.groups if group.startswith(("service_", "worker_group_"))]


def test_names_are_unique() -> None:
    others = [{**WORKER, "taskArn": f"{WORKER['taskArn'][:-1]}{last}"} for last in "ef"]
    other_service = {**WORKER, "taskArn": f"{WORKER['taskArn'][:-1]}0", "group": "service:scheduler"}
    names = [one.name for one in hosts([*others, other_service])]
    assert names == ["scheduler-4b2a0d4e", f"worker-big-{ID[:-1]}e", f"worker-big-{ID[:-1]}f"]


def test_services_restrict() -> None:
    other = {**WORKER, "taskArn": f"{ARN}:task/staging/{'0' * 32}", "group": "service:scheduler"}
    assert [one.name for one in hosts([WORKER, other], ["scheduler"])] == ["scheduler-00000000"]


def test_a_task_of_which_little_is_known_is_a_host() -> None:
    least = {name: WORKER[name] for name in ("taskArn", "clusterArn", "taskDefinitionArn")}
    (made,) = hosts([least])
    assert made.groups == ()
    assert (made.variables["cpu"], made.variables["private_ip"], made.variables["execute_command"]) == ("", "", False)


def test_interfaces_of_containers_have_the_address_where_the_task_has_none() -> None:
    containers = [{"name": "worker", "networkInterfaces": [{"privateIpv4Address": "10.0.0.9"}]}]
    assert host(attachments=[], containers=containers).variables["private_ip"] == "10.0.0.9"
