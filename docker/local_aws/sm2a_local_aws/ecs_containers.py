# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""A task's containers: how a container definition becomes the engine's options.

Containers of one task share a network namespace, so that they meet on localhost, and the volumes of the task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from docker.types import EndpointConfig
from ministack.core import container_reaper
from ministack.services import ecs

from sm2a_local_aws import ecs_agent, ecs_depends_on, ecs_lookup, ecs_service_connect, settings
from sm2a_local_aws.engine import IDLE_COMMAND, IDLE_IMAGE
from sm2a_local_aws.iam import credentials
from sm2a_local_aws.patching import replaces

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
    ordered = ecs_depends_on.ordered(task_definition)
    ecs_depends_on.reorder_task(task, ordered)
    if len(ordered["containerDefinitions"]) > 1 and task.get("_network_mode") == "awsvpc":
        _start_network_container(client, task, ordered)
    _create_volumes(client, task, ordered)
    original(task, ordered, overrides, client)


@replaces("ministack.services.ecs:_build_run_kwargs", "25f7593b8823")
def build_run_kwargs(
    original: Callable[..., dict[str, Any]],
    definition: Definition,
    task_definition: Definition,
    environment: dict[str, str],
    *rest: Any,
) -> dict[str, Any]:
    """MiniStack's options, completed by what it ignores in the definition."""
    options = original(definition, task_definition, environment, *rest)
    _port_bindings, _network, _host_mode, task_id, task_arn, _address, _cluster_arn = rest
    task = ecs._tasks.get(task_arn) or {}
    # An image of another architecture fails clearly; MiniStack's retry without it hides other errors.
    options.pop("platform", None)
    options["name"] = container_name(task_id, task_definition["family"], definition["name"])
    options["labels"].update(settings.current().labels)
    options.update(_process_options(definition, task_definition))
    binds = [
        f"{_volume_name(task_arn, mount['sourceVolume'])}:{mount['containerPath']}:{_mode(mount)}"
        for mount in definition.get("mountPoints", [])
        if mount["sourceVolume"] in _task_volumes(task_definition)
    ]
    if binds:
        options["volumes"] = (options.get("volumes") or []) + binds
    _complete_environment(environment)
    environment.update(credentials.environment(task, task_definition))
    if task.get("_network_container"):
        options.pop("network", None)
        options["network_mode"] = f"container:{task['_network_container']}"
    elif options.get("network"):
        options["networking_config"] = _endpoint(options["network"], task, [definition])
    return options


def _process_options(definition: Definition, task_definition: Definition) -> dict[str, Any]:
    linux = definition.get("linuxParameters") or {}
    memory = definition.get("memory") or task_definition.get("memory")
    options = {
        "entrypoint": definition.get("entryPoint"),
        "working_dir": definition.get("workingDirectory"),
        "user": definition.get("user"),
        "init": True if linux.get("initProcessEnabled") else None,
        "mem_limit": f"{int(memory)}m" if memory else None,
        "read_only": True if definition.get("readonlyRootFilesystem") else None,
    }
    return {name: value for name, value in options.items() if value}


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
        detach=True,
    )
    task["_network_container"] = container.id
    ecs._record_task_ip(task, container, network)


def _endpoint(network: str, task: Task, definitions: list[Definition]) -> dict[str, Any]:
    aliases = ecs_service_connect.aliases(ecs_lookup.service_of(task) if task else None, definitions)
    return {network: EndpointConfig(API_VERSION, aliases=aliases)}


def _task_volumes(task_definition: Definition) -> set[str]:
    """The names of the mounted volumes that live and die with the task."""
    containers = task_definition["containerDefinitions"]
    mounted = {mount["sourceVolume"] for container in containers for mount in container.get("mountPoints") or []}
    return {
        volume["name"]
        for volume in task_definition.get("volumes", [])
        if volume["name"] in mounted
        and not (volume.get("host") or {}).get("sourcePath")
        and not volume.get("efsVolumeConfiguration")
    }


def _volume_name(task_arn: str, volume: str) -> str:
    return f"{settings.current().name}-{task_arn.rsplit('/', 1)[-1][:SHORT_ID]}-{volume}"


def _create_volumes(client: Any, task: Task, task_definition: Definition) -> None:
    names = [_volume_name(task["taskArn"], volume) for volume in sorted(_task_volumes(task_definition))]
    for name in names:
        client.volumes.create(name, labels=settings.current().labels)
    task["_volumes"] = names


def _mode(mount: dict[str, Any]) -> str:
    return "ro" if mount.get("readOnly") else "rw"
