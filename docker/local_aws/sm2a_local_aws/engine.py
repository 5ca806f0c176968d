# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The container engine (Docker API): its client, the local AWS's network, and the removal of what it left behind."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import IPAMConfig, IPAMPool

import docker
from sm2a_local_aws.errors import LocalAwsError
from sm2a_local_aws.settings import LABEL, Settings

logger = logging.getLogger("sm2a.engine")

# It idles in the anchor container and holds the network namespace of tasks with several containers.
IDLE_IMAGE = "localhost/sm2a/debian:trixie"
IDLE_COMMAND = ["sleep", "infinity"]
REQUEST_TIMEOUT_SECONDS = 120
REMOVAL_RETRY_SECONDS = (1, 3, 10)


def connect(settings: Settings) -> Any:
    """A client of the engine that was answering just now; LocalAwsError when it does not."""
    try:
        client = docker.DockerClient(base_url=settings.engine_socket, timeout=REQUEST_TIMEOUT_SECONDS)
        client.ping()
    except DockerException as error:
        raise LocalAwsError(
            f"no container engine answers at {settings.engine_socket} ({_first_line(error)}): "
            f"start it, or use --control-plane-only"
        ) from error
    return client


def create_network(client: Any, settings: Settings) -> None:
    """Make the bridge and hold it up: engines such as podman create it with its first container."""
    pool = IPAMPool(subnet=settings.subnet, gateway=settings.gateway)
    try:
        client.networks.create(
            settings.network, driver="bridge", labels=settings.labels, ipam=IPAMConfig(pool_configs=[pool])
        )
    except DockerException as error:
        raise LocalAwsError(
            f"the engine cannot make network {settings.network} with subnet {settings.subnet} "
            f"({_first_line(error)}): choose another --name or --subnet"
        ) from error
    try:
        client.containers.run(
            IDLE_IMAGE,
            IDLE_COMMAND,
            name=settings.anchor_container,
            labels=settings.labels,
            network=settings.network,
            cap_drop=["ALL"],
            read_only=True,
            detach=True,
        )
    except ImageNotFound as error:
        raise LocalAwsError(
            f"the engine has no image {IDLE_IMAGE} and cannot pull it: make it with the images role's base image"
        ) from error
    except DockerException as error:
        raise LocalAwsError(
            f"the engine cannot run a container ({_first_line(error)}): try `podman run --rm {IDLE_IMAGE} true`"
        ) from error


def remove_leftovers(client: Any, settings: Settings) -> int:
    """Remove every container, volume and network with this name's label; the number that were there.

    A container that its maker ordered just before it ended may appear after the others were listed, and holds its
    volumes and its network: then all is looked for again.
    """
    mine = {"label": f"{LABEL}={settings.name}"}
    for seconds in REMOVAL_RETRY_SECONDS:
        try:
            return _remove_all(client, mine)
        except APIError:
            time.sleep(seconds)
    return _remove_all(client, mine)


def _remove_all(client: Any, mine: dict[str, str]) -> int:
    containers = client.containers.list(all=True, sparse=True, filters=mine)
    remove_containers(containers)
    volumes = client.volumes.list(filters=mine)
    for volume in volumes:
        with contextlib.suppress(NotFound):
            volume.remove(force=True)
    networks = client.networks.list(filters=mine)
    for network in networks:
        with contextlib.suppress(NotFound):
            network.remove()
    return len(containers) + len(volumes) + len(networks)


def remove_containers(containers: Sequence[Any]) -> None:
    """Remove them all, those that others share the network of last, as an engine wants; APIError when one cannot be."""
    left = list(containers)
    while left:
        kept = [container for container in left if not _removed(container)]
        if len(kept) == len(left):
            kept[0].remove(force=True, v=True)
        left = kept


def _removed(container: Any) -> bool:
    try:
        container.remove(force=True, v=True)
    except NotFound:
        return True
    except APIError:
        return False
    return True


def count_containers(client: Any, settings: Settings) -> int:
    """The containers of this local AWS that run."""
    return len(client.containers.list(sparse=True, filters={"label": f"{LABEL}={settings.name}"}))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
