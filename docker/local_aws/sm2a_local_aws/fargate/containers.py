# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A task's containers: how a container definition becomes the engine's options.

Containers of one task share a network namespace, so that they meet on localhost, and the volumes of the task.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from docker.types import EndpointConfig
from ministack.core import container_reaper
from ministack.services import ecs

from sm2a_local_aws import settings
from sm2a_local_aws.ecs import agent as ecs_agent
from sm2a_local_aws.ecs import lookup as ecs_lookup
from sm2a_local_aws.ecs import service_connect as ecs_service_connect
from sm2a_local_aws.engine import IDLE_COMMAND, IDLE_IMAGE
from sm2a_local_aws.fargate import depends_on, engine_options
from sm2a_local_aws.iam import credentials
from sm2a_local_aws.patching.points import replaces

Definition = dict[str, Any]
Task = dict[str, Any]

API_VERSION = "1.41"
SHORT_ID = 8


def container_name(task_id: str, family: str, container: str) -> str:
    """`<local AWS>-<family>-<start of the task id>-<container>`."""
    return f"{settings.current().name}-{family}-{task_id[:SHORT_ID]}-{container}"


@replaces("ministack.services.ecs:_register_metadata", "7778fecfed8b")
def register_metadata(original: Callable[..., str], *arguments: Any) -> str:
    """Containers find the local AWS at the bridge's gateway, not at the anchor's address (the last argument)."""
    return original(*arguments[:-1], settings.current().gateway)


@replaces("ministack.services.ecs:_start_task_worker", "73e133e6afaa")
def start_task_worker(
    original: Callable[..., None], task: Task, task_definition: Definition, overrides: Any, client: Any
) -> None:
    """Start containers in the order of their dependencies, in one network namespace when there are several."""
    ordered = depends_on.ordered(task_definition)
    depends_on.reorder_task(task, ordered)
    if len(ordered["containerDefinitions"]) > 1 and task.get("_network_mode") == "awsvpc":
        _start_network_container(client, task, ordered)
    _create_volumes(client, task, ordered)
    original(task, ordered, overrides, client)


@replaces("ministack.services.ecs:_build_run_kwargs", "25f7593b8823")
def build_run_kwargs(
    _original: Callable[..., dict[str, Any]],
    definition: Definition,
    task_definition: Definition,
    environment: dict[str, str],
    *rest: Any,
) -> dict[str, Any]:
    """The engine's options, none of them MiniStack's: what may be among them is said in `ecs_engine_options`."""
    _port_bindings, network, _host_mode, task_id, task_arn, _address, cluster_arn = rest
    task = ecs._tasks.get(task_arn) or {}
    _complete_environment(environment)
    environment.update(credentials.environment(task, task_definition))
    options = engine_options.of_container(definition, task_definition, task_id[:SHORT_ID])
    if _is_podman():
        options = engine_options.for_podman(options, definition)
    options["environment"] = environment
    options["name"] = container_name(task_id, task_definition["family"], definition["name"])
    options["labels"] = _labels(definition, task_definition, task_arn, cluster_arn)
    if task.get("_network_container"):
        options["network_mode"] = f"container:{task['_network_container']}"
    else:
        options["network"] = network or settings.current().network
        options["networking_config"] = _endpoint(options["network"], task, [definition])
    return options


@functools.cache
def _is_podman() -> bool:
    return engine_options.is_podman(ecs._get_docker())


def _labels(definition: Definition, task_definition: Definition, task_arn: str, cluster_arn: str) -> dict[str, str]:
    """Those of the ECS agent, and those by which MiniStack and we find our own."""
    return {
        **container_reaper.own_labels("ecs"),
        "com.amazonaws.ecs.cluster": cluster_arn,
        "com.amazonaws.ecs.container-name": definition["name"],
        ecs_lookup.TASK_LABEL: task_arn,
        "com.amazonaws.ecs.task-definition-family": task_definition.get("family", ""),
        "com.amazonaws.ecs.task-definition-version": str(task_definition.get("revision", 1)),
        **settings.current().labels,
    }


def _complete_environment(environment: dict[str, str]) -> None:
    # boto3 refuses MiniStack's credentials address, for it is plain HTTP off loopback.
    environment.pop("AWS_CONTAINER_CREDENTIALS_FULL_URI", None)
    environment.pop("AWS_CONTAINER_AUTHORIZATION_TOKEN", None)
    metadata_uri = environment["ECS_CONTAINER_METADATA_URI_V4"]
    environment["ECS_AGENT_URI"] = ecs_agent.agent_uri(metadata_uri)
    for name, value in (
        ("AWS_REGION", ecs.get_region()),
        ("AWS_DEFAULT_REGION", ecs.get_region()),
        ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"),
    ):
        environment.setdefault(name, value)


def _start_network_container(client: Any, task: Task, task_definition: Definition) -> None:
    """Hold the task's network namespace, whichever of its containers comes or goes first."""
    network = settings.current().network
    task_id = task["taskArn"].rsplit("/", 1)[-1]
    container = client.containers.run(
        IDLE_IMAGE,
        IDLE_COMMAND,
        name=container_name(task_id, task_definition["family"], "network"),
        labels={**container_reaper.own_labels("ecs-network"), **settings.current().labels},
        network=network,
        networking_config=_endpoint(network, task, task_definition["containerDefinitions"]),
        cap_drop=["ALL"],
        read_only=True,
        detach=True,
    )
    task["_network_container"] = container.id
    ecs._record_task_ip(task, container, network)


def _endpoint(network: str, task: Task, definitions: list[Definition]) -> dict[str, Any]:
    aliases = ecs_service_connect.aliases(ecs_lookup.service_of(task) if task else None, definitions)
    return {network: EndpointConfig(API_VERSION, aliases=aliases)}


def _create_volumes(client: Any, task: Task, task_definition: Definition) -> None:
    task_id = task["taskArn"].rsplit("/", 1)[-1][:SHORT_ID]
    names = [engine_options.volume_name(task_id, volume) for volume in engine_options.volumes(task_definition)]
    for name in sorted(names):
        client.volumes.create(name, labels=settings.current().labels)
    task["_volumes"] = names
