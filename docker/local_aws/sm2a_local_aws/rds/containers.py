# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The container of a DB instance: a name on the network, its port, its parameters, data on a volume, failures shown."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any

from docker.errors import DockerException
from docker.types import EndpointConfig
from ministack.services import rds

from sm2a_local_aws import settings
from sm2a_local_aws.fargate.containers import API_VERSION
from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.rds import instances, requests

logger = logging.getLogger("sm2a.rds_containers")

Instance = dict[str, Any]

STOP_SECONDS = 30
LAST_LINES = 5

relies_on(
    "ministack.services.rds",
    {
        "_record_reboot_event": "edc4d8be6fa4",
        "_is_mysql_engine": "c7107000321e",
    },
)


def container_name(identifier: str) -> str:
    """`<local AWS>-rds-<DB instance>`."""
    return f"{settings.current().name}-rds-{identifier}"


@replaces("ministack.services.rds:_rds_docker_name", "8708fe6eacbe")
def rds_docker_name(_original: Callable[..., str], identifier: str, *_scope: Any) -> str:
    """One account and Region use a local AWS, so the short name is unique; the volume's name follows from it."""
    return container_name(identifier)


@replaces("ministack.services.rds:_docker_image_for_engine", "eb454b1a99f9")
def docker_image_for_engine(original: Callable[..., Any], *arguments: Any) -> Any:
    """The server listens on the port that the instance was asked to have."""
    image, environment, port, data_path = original(*arguments)
    request = requests.current()
    return image, environment, request.port if request and port else port, data_path


@replaces("ministack.services.rds:_reported_endpoint", "dd92c3b05223")
def reported_endpoint(original: Callable[..., Any], host: str, port: int, host_port: int) -> Any:
    """Clients get the name, which outlives the container's address."""
    request = requests.current()
    return (request.address, port) if request else original(host, port, host_port)


@replaces("ministack.services.rds:_run_rds_container", "0d96d7c7c0b5")
def run_rds_container(
    original: Callable[..., Any], client: Any, engine: str, options: dict[str, Any], **names: Any
) -> Any:
    """Complete the container's options; remember why it could not be made."""
    # The network reaches it; no port of the host is published.
    options.pop("ports", None)
    request = requests.current()
    if request is None:
        return original(client, engine, options, **names)
    local_aws = settings.current()
    options["labels"].update(local_aws.labels)
    options["networking_config"] = {local_aws.network: EndpointConfig(API_VERSION, aliases=[request.address])}
    for volume in options.get("volumes") or {}:
        client.volumes.create(volume, labels=local_aws.labels)
    if "postgres" in engine:
        options["command"] = ["postgres", *_postgres_flags(request)]
        options["environment"] = {
            **options["environment"],
            "POSTGRES_INITDB_ARGS": "--no-sync",
            "POSTGRES_FORCE_TLS": _parameters(request).get("rds.force_ssl", ""),
        }
    elif rds._is_mysql_engine(engine):
        options["command"] = [*(options.get("command") or []), f"--port={request.port}"]
    try:
        return original(client, engine, options, tls_names=[request.address, request.identifier])
    except Exception as error:
        request.failure = str(error)
        _remove_container(client, request.identifier)
        raise


def _parameters(request: requests.DatabaseRequest) -> dict[str, str]:
    """What the parameter group sets. MySQL gets them as flags from MiniStack."""
    group = rds._param_groups.get(request.parameter_group) or {}
    return {name: str(entry["ParameterValue"]) for name, entry in (group.get("Parameters") or {}).items()}


def _postgres_flags(request: requests.DatabaseRequest) -> list[str]:
    """The port and the parameter group's values as server options; formulas and RDS's own names are left out."""
    flags = ["-c", f"port={request.port}"]
    for name, value in sorted(_parameters(request).items()):
        if not name.startswith("rds.") and "{" not in value:
            flags += ["-c", f"{name}={value}"]
    return flags


@replaces("ministack.services.rds:_wait_for_database_ready", "1dbc0b5c2c28")
def wait_for_database_ready(original: Callable[..., bool], *arguments: Any) -> bool:
    """A server that ended before it answered says why in an event."""
    ready = original(*arguments)
    request = requests.current()
    client = rds._get_docker()
    if not ready and request is not None and client is not None:
        with contextlib.suppress(DockerException):
            said = client.api.logs(container_name(request.identifier), tail=LAST_LINES).decode(errors="replace")
            reason = " ".join(said.split())
            instances.record_event(request.identifier, f"The database server ended: {reason}")
    return bool(ready)


@replaces("ministack.services.rds:_start_rds_container_for_instance", "4a2f9b60909e")
def start_container_for_instance(original: Callable[..., None], identifier: str, instance: Instance) -> None:
    """A container started later (its image had to be pulled first) counts as available once it answers."""
    original(identifier, instance)
    if instance["DBInstanceStatus"] == "available":
        instance["DBInstanceStatus"] = "creating"
        instance["DBInstanceStatus"] = "available" if _answers(instance) else "failed"


@replaces("ministack.services.rds:_finish_instance_reboot", "caa8eadfaf92")
def finish_instance_reboot(original: Callable[..., None], instance: Instance, cluster: Any) -> None:
    """Make the container again on its volume: that applies the parameters that were pending."""
    client = rds._get_docker()
    if cluster or client is None:
        original(instance, cluster)
        return
    identifier = instance["DBInstanceIdentifier"]
    with contextlib.suppress(DockerException):
        client.api.stop(container_name(identifier), timeout=STOP_SECONDS)
    with requests.making(requests.of_instance(instance)):
        rds._start_rds_container_for_instance(identifier, instance)
    if instance["DBInstanceStatus"] == "available":
        rds._record_reboot_event(instance)


@replaces("ministack.services.rds:_rotate_instance_password", "5f3a5a239df8")
def rotate_instance_password(original: Callable[..., None], instance: Instance, *passwords: str) -> None:
    """Look its address up first: it changes when the container was restarted."""
    client = rds._get_docker()
    if client is not None:
        with contextlib.suppress(DockerException, KeyError):
            container = client.api.inspect_container(container_name(instance["DBInstanceIdentifier"]))
            networks = container["NetworkSettings"]["Networks"]
            instance["_internal_address"] = networks[settings.current().network]["IPAddress"]
    original(instance, *passwords)


def _remove_volume(instance: Instance) -> None:
    """Remove the data of a deleted instance."""
    client = rds._get_docker()
    if client is not None and instance.get("_docker_volume_name"):
        with contextlib.suppress(DockerException):
            client.api.remove_volume(instance["_docker_volume_name"], force=True)


instances.after_delete.append(_remove_volume)


def _answers(instance: Instance) -> bool:
    client = rds._get_docker()

    def alive() -> bool:
        with contextlib.suppress(DockerException):
            state = client.api.inspect_container(instance["_docker_container_id"])["State"]
            return bool(state["Running"])
        return False

    return bool(
        rds._wait_for_database_ready(
            instance["_internal_address"],
            instance["_internal_port"],
            instance["Engine"],
            instance["MasterUsername"],
            instance["_MasterUserPassword"],
            instance["DBName"],
            alive,
        )
    )


def _remove_container(client: Any, identifier: str) -> None:
    with contextlib.suppress(DockerException):
        client.api.remove_container(container_name(identifier), v=True, force=True)
