# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Running ECS tasks as hosts of an inventory: their names, variables and groups. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.api import tag_dict

Task = Mapping[str, Any]

SERVICE_GROUP, FAMILY_GROUP = "service:", "family:"
WORKER_SERVICE = "worker-"
COMPONENT_TAG = "sm2a:component"
# Characters of an id in the name of a host, and of a digest in that of a group.
SHORT_ID = 8
SHORT_DIGEST = 12
EXEC_AGENT = "ExecuteCommandAgent"
# How Ansible gets into a container, unless `compose` says otherwise.
CONNECTION = "sm2a.airflow.ecs_exec"
PYTHON = "/usr/bin/python3"
# In the container, whose HOME is not root's. In /tmp DAG code could exchange what root is about to run.
REMOTE_TMP = "/root/.ansible/tmp"


@dataclass(frozen=True)
class Host:
    """One task. ``variables`` are what it is, ``connection`` how to get into it."""

    name: str
    variables: dict[str, Any]
    connection: dict[str, Any]
    groups: tuple[str, ...]


def hosts(tasks: Iterable[Task], services: Iterable[str] = ()) -> list[Host]:
    """The tasks as hosts, by name; only those of the services, where some are named."""
    wanted = set(services)
    found = [_variables(task) for task in tasks]
    found = [one for one in found if not wanted or one["service"] in wanted]
    short = Counter(_short_name(one) for one in found)
    named = [(_short_name(one) if short[_short_name(one)] == 1 else _long_name(one), one) for one in found]
    return [Host(name, one, _connection(one), tuple(_groups(one))) for name, one in sorted(named, key=lambda n: n[0])]


def _short_name(variables: Mapping[str, Any]) -> str:
    return f"{_called(variables)}-{variables['task_id'][:SHORT_ID]}"


def _long_name(variables: Mapping[str, Any]) -> str:
    return f"{_called(variables)}-{variables['task_id']}"


def _called(variables: Mapping[str, Any]) -> str:
    """The service, or of a task without one the family of its definition."""
    return str(variables["service"] or variables["task_definition"].partition(":")[0])


def _variables(task: Task) -> dict[str, Any]:
    group, tags = str(task.get("group") or ""), tag_dict(task.get("tags"))
    service = group.removeprefix(SERVICE_GROUP) if group.startswith(SERVICE_GROUP) else ""
    definition = str(task["taskDefinitionArn"]).rpartition("/")[2]
    containers = [_container(container) for container in task.get("containers") or ()]
    main = _main_container(containers, (service, definition.partition(":")[0], tags.get(COMPONENT_TAG, "")))
    return {
        "task_arn": task["taskArn"],
        "task_id": str(task["taskArn"]).rpartition("/")[2],
        "cluster": str(task["clusterArn"]).rpartition("/")[2],
        "service": service,
        "component": tags.get(COMPONENT_TAG, ""),
        "worker_group": _worker_group(service, tags),
        "task_definition": definition,
        "started_at": task.get("startedAt", ""),
        "health_status": task.get("healthStatus", "UNKNOWN"),
        "private_ip": _private_ip(task),
        "availability_zone": task.get("availabilityZone", ""),
        # As ECS has them, and as `keyed_groups` take them: text.
        "cpu": task.get("cpu", ""),
        "memory": task.get("memory", ""),
        "launch_type": task.get("launchType", ""),
        "capacity_provider": task.get("capacityProviderName", ""),
        "platform_version": task.get("platformVersion", ""),
        "execute_command": bool(task.get("enableExecuteCommand")),
        "containers": containers,
        "container_names": [container["name"] for container in containers],
        "runtime_ids": {container["name"]: container["runtime_id"] for container in containers},
        "container": main.get("name", ""),
        "image": main.get("image", ""),
        "image_digest": main.get("image_digest", ""),
        "tags": tags,
    }


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    agents = {agent["name"]: agent.get("lastStatus", "") for agent in container.get("managedAgents") or ()}
    return {
        "name": container["name"],
        "runtime_id": container.get("runtimeId", ""),
        "image": container.get("image", ""),
        "image_digest": container.get("imageDigest", ""),
        "status": container.get("lastStatus", ""),
        "health_status": container.get("healthStatus", "UNKNOWN"),
        "exec_agent_status": agents.get(EXEC_AGENT, ""),
    }


def _main_container(containers: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """The container that is called as the service, the family, or the component; otherwise the first one."""
    wanted = {name.replace("_", "-") for name in names if name}
    return next((one for one in containers if one["name"] in wanted), containers[0] if containers else {})


def _worker_group(service: str, tags: Mapping[str, str]) -> str:
    is_worker = tags.get(COMPONENT_TAG) == "worker" and service.startswith(WORKER_SERVICE)
    return service.removeprefix(WORKER_SERVICE) if is_worker else ""


def _private_ip(task: Task) -> str:
    """That of the task's network interface, which all its containers share."""
    for attachment in task.get("attachments") or ():
        for detail in attachment.get("details") or ():
            if detail.get("name") == "privateIPv4Address":
                return str(detail["value"])
    interfaces = [one for container in task.get("containers") or () for one in container.get("networkInterfaces") or ()]
    return next((str(one["privateIpv4Address"]) for one in interfaces if one.get("privateIpv4Address")), "")


def _connection(variables: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ansible_connection": CONNECTION,
        "ansible_ecs_exec_cluster": variables["cluster"],
        "ansible_ecs_exec_task": variables["task_arn"],
        "ansible_ecs_exec_container": variables["container"],
        "ansible_python_interpreter": PYTHON,
        "ansible_remote_tmp": REMOTE_TMP,
        # Each file that is copied costs a round trip more.
        "ansible_pipelining": True,
    }


def _groups(variables: Mapping[str, Any]) -> Iterable[str]:
    """Names as they are; the plugin makes them fit for Ansible."""
    digest = variables["image_digest"].partition(":")[2][:SHORT_DIGEST]
    for kind, value in (
        ("service", variables["service"]),
        ("worker_group", variables["worker_group"]),
        ("availability_zone", variables["availability_zone"]),
        ("image_digest", digest),
    ):
        if value:
            yield f"{kind}_{value}"
