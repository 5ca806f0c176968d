# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The ECS task definitions of Airflow's components and worker groups. Pure.

Nothing here is secret: containers read secrets by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.database_client import database_client

Definition = dict[str, Any]
Environment = Mapping[str, str]

USER = "50000:50000"
# A worker finishes what it runs, as far as the two minutes reach that Fargate grants.
STOP_SECONDS = 120
LINUX = {"init_process_enabled": True, "capabilities": {"drop": ["ALL"]}}
# The one-off task: nothing depends on its health, and it has no metrics.
MIGRATE = "migrate"


@dataclass(frozen=True)
class Settings:
    """What all task definitions of one environment have in common.

    ``log_group_names`` and ``task_role_arns`` are by role, such as ``api_server``; ``worker_task_role_arns`` are by
    group, of those that have one of their own. ``metrics`` is the environment of the metrics container, None without.
    """

    environment: str
    image: str
    region: str
    cpu_architecture: str
    execution_role_arn: str
    task_role_arns: Mapping[str, str]
    worker_task_role_arns: Mapping[str, str]
    log_group_names: Mapping[str, str]
    health_check_start_period: int
    # ECS Exec writes into the container.
    ecs_exec: bool
    metrics: Environment | None
    # As in database_outputs; {} where it is not known.
    database: Mapping[str, Any]


@dataclass(frozen=True)
class Environments:
    """Environment variables of containers; where two have a name, the later field counts, and the later of a list."""

    everywhere: Sequence[Environment]
    by_role: Mapping[str, Sequence[Environment]]
    chosen: Sequence[Environment]
    by_group: Mapping[str, Environment]

    def of(self, role: str, own: Environment, group: str = "") -> dict[str, str]:
        """Those of one container; ``own`` are its own, which ``chosen`` ones replace."""
        parts = [*self.everywhere, *self.by_role[role], own, *self.chosen, self.by_group.get(group, {})]
        return dict(chain.from_iterable(part.items() for part in parts))


def task_definitions(
    components: Mapping[str, Mapping[str, Any]],
    groups: Iterable[Mapping[str, Any]],
    environments: Environments,
    settings: Settings,
) -> list[Definition]:
    """One for each component (by name) and each worker group, as the module ecs_task_definition takes them."""
    return [
        *(_of_component(name, component, environments, settings) for name, component in components.items()),
        *(_of_group(group, environments, settings) for group in groups),
    ]


def _of_component(
    name: str, component: Mapping[str, Any], environments: Environments, settings: Settings
) -> Definition:
    role = component["role"]
    containers = _containers(name, role, component["command"], environments.of(role, {}), settings)
    return {
        **_definition(name, component, settings),
        "task_role_arn": settings.task_role_arns[role],
        "runtime_platform": _platform(settings.cpu_architecture),
        "container_definitions": list(containers),
    }


def _of_group(group: Mapping[str, Any], environments: Environments, settings: Settings) -> Definition:
    name = f"worker-{group['name']}"
    command = ["airflow", "celery", "worker", "--queues", group["queue"], "--without-gossip", "--without-mingle"]
    own = {"AIRFLOW__CELERY__WORKER_CONCURRENCY": str(group["concurrency"])}
    containers = _containers(name, "worker", command, environments.of("worker", own, group["name"]), settings)
    return {
        **_definition(name, group, settings),
        "task_role_arn": settings.worker_task_role_arns.get(group["name"], settings.task_role_arns["worker"]),
        "runtime_platform": _platform(group.get("cpu_architecture") or settings.cpu_architecture),
        "container_definitions": list(containers),
    }


def _definition(name: str, size: Mapping[str, Any], settings: Settings) -> Definition:
    definition = {
        "family": f"{settings.environment}-{name}",
        "cpu": int(size["cpu"]),
        "memory": int(size["memory"]),
        "execution_role_arn": settings.execution_role_arn,
        "volumes": [{"name": "logs"}, {"name": "tmp"}],
    }
    if size.get("ephemeral_storage_gib") is not None:
        definition["ephemeral_storage"] = {"size_in_gib": int(size["ephemeral_storage_gib"])}
    return definition


def _platform(cpu_architecture: str) -> Definition:
    return {"cpu_architecture": cpu_architecture, "operating_system_family": "LINUX"}


def _containers(
    name: str, role: str, command: Sequence[str], environment: Environment, settings: Settings
) -> Iterator[Definition]:
    log = _log_configuration(name, role, settings)
    has_metrics = settings.metrics is not None and role != MIGRATE
    main = {**_airflow_container(role, command, environment, settings), "log_configuration": log}
    # Stopped after this container, so that its last words count.
    yield {**main, "depends_on": [{"container_name": "metrics", "condition": "START"}]} if has_metrics else main
    if has_metrics:
        yield {**_metrics_container(name, settings), "log_configuration": log}


def _airflow_container(role: str, command: Sequence[str], environment: Environment, settings: Settings) -> Definition:
    container = role.replace("_", "-")
    definition: Definition = {
        "name": container,
        "image": settings.image,
        "command": list(command),
        "user": USER,
        "essential": True,
        "readonly_root_filesystem": not settings.ecs_exec,
        "mount_points": [
            {"source_volume": "logs", "container_path": "/opt/airflow/logs"},
            {"source_volume": "tmp", "container_path": "/tmp"},  # noqa: S108
        ],
        "stop_timeout": STOP_SECONDS,
        "linux_parameters": LINUX,
        "environment": dict(environment),
    }
    if role == "api_server":
        port = {"name": "api-server", "container_port": 8080, "protocol": "tcp", "app_protocol": "http"}
        definition["port_mappings"] = [port]
    if role != MIGRATE:
        definition["health_check"] = {
            "command": ["CMD", "python", "-m", "sm2a_runtime.health", container],
            "interval": 30,
            "timeout": 15,
            "retries": 3,
            "start_period": settings.health_check_start_period,
        }
    return database_client(definition, settings.database)


def _metrics_container(name: str, settings: Settings) -> Definition:
    """Its lines in the log are metrics to CloudWatch. The task lives on without it."""
    program = ["python", "-m", "sm2a_runtime.metrics.sidecar"]
    return {
        "name": "metrics",
        "image": settings.image,
        "command": [*program, "serve"],
        "user": USER,
        "essential": False,
        "restart_policy": {"enabled": True, "restart_attempt_period": 60},
        "readonly_root_filesystem": True,
        "cpu": 32,
        "memory": 64,
        "linux_parameters": LINUX,
        "health_check": {
            "command": ["CMD", *program, "check"],
            "interval": 60,
            "timeout": 15,
            "retries": 3,
            "start_period": 30,
        },
        "environment": {**(settings.metrics or {}), "SM2A_METRICS_COMPONENT": name},
    }


def _log_configuration(name: str, role: str, settings: Settings) -> Definition:
    options = {
        "awslogs-group": settings.log_group_names[role],
        "awslogs-region": settings.region,
        "awslogs-stream-prefix": name,
    }
    return {"log_driver": "awslogs", "options": options}
