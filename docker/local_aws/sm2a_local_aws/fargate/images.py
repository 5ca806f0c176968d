# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Images of tasks: what the engine runs for an image of the task definition.

The engine cannot reach `<account>.dkr.ecr.<region>.amazonaws.com`, so an image of it is pulled from the local AWS's
own registry, `127.0.0.1:<port>/<repository>`: engines take plain HTTP from loopback (podman by registries.conf).
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.utils import parse_repository_tag
from ministack.services import ecs

from sm2a_local_aws import settings
from sm2a_local_aws.ecs.lookup import TASK_LABEL
from sm2a_local_aws.fargate import architecture
from sm2a_local_aws.patching.points import replaces

logger = logging.getLogger("sm2a.ecs_images")

ECR_IMAGE = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/(?P<path>.+)$")
# Podman takes more for an image: `dir:/path` or `docker-archive:/path` are files of this machine.
REFERENCE = re.compile(
    r"[a-zA-Z0-9][a-zA-Z0-9.-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)*(:[a-zA-Z0-9_][a-zA-Z0-9._-]*)?(@sha256:[0-9a-f]{64})?"
)

# One pull of an image at a time, for several tasks start together.
_pulling: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def engine_reference(image: str) -> str:
    """What the engine calls the image: the ECR host replaced by the registry that it can reach."""
    match = ECR_IMAGE.match(image)
    return f"{settings.LOOPBACK}:{settings.current().port}/{match['path']}" if match else image


def ensure_image(client: Any, image: str) -> str:
    """The reference to run, pulled when needed. Raises MiniStack's image pull error.

    A tag in ECR is always pulled, as on Fargate; an image from elsewhere and a digest only when they are missing.
    """
    reference = engine_reference(image)
    if not REFERENCE.fullmatch(reference):
        raise ecs._ImagePullError(f"failed to parse image reference {image!r}: invalid reference format")
    movable = reference != image and "@" not in image
    with _pulling[reference]:
        if not movable:
            for candidate in (reference, image):
                with contextlib.suppress(ImageNotFound):
                    client.images.get(candidate)
                    return candidate
        try:
            problem = _pull(client, reference)
        except DockerException as error:
            problem = str(error).splitlines()[0]
    if problem:
        raise ecs._ImagePullError(f"pull image manifest has been retried 1 time(s): {image} ({reference}): {problem}")
    return reference


def _pull(client: Any, reference: str) -> str | None:
    """Why the pull failed, None when it did not: engines report it in the stream of an answer 200."""
    repository, tag = parse_repository_tag(reference)
    for progress in client.api.pull(repository, tag=tag or "latest", stream=True, decode=True):
        if progress.get("error"):
            return str(progress["error"]).strip()
    return None


@replaces("ministack.services.ecs:_deployment_needs_first_task", "e9770703048a")
def deployment_needs_first_task(_original: Callable[..., bool], *_arguments: Any) -> bool:
    """No tag is resolved to a digest before the rest of a service starts: not every engine can ask a registry."""
    return False


@replaces("ministack.services.ecs:_run_docker_container", "9630f0c32368")
def run_docker_container(
    _original: Callable[..., Any], client: Any, definition: dict[str, Any], run_options: dict[str, Any], **_options: Any
) -> Any:
    """Start the container; one that could not start is removed, and the error says so as ECS does."""
    reference = ensure_image(client, definition["image"])
    wanted = architecture.of_task(run_options["labels"][TASK_LABEL])
    problem = architecture.refusal(client.api.inspect_image(reference), wanted)
    if problem:
        raise ecs._ImagePullError(f"pull image manifest has been retried 1 time(s): {problem}")
    try:
        container = _create(client, reference, {**run_options, "detach": True})
    except APIError as error:
        raise RuntimeError(f"CannotCreateContainerError: {error.explanation or error}") from error
    try:
        container.start()
    except APIError as error:
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)
        raise RuntimeError(f"CannotStartContainerError: {error.explanation or error}") from error
    return container


def _create(client: Any, reference: str, options: dict[str, Any]) -> Any:
    try:
        return client.containers.create(reference, **options)
    except APIError as error:
        # podman needs the program catatonit for initProcessEnabled; a task runs without it, only less tidily.
        if not options.get("init") or "init binary" not in str(error.explanation):
            raise
        logger.warning("no init process for %s: install catatonit for initProcessEnabled", options["name"])
        return client.containers.create(reference, **{**options, "init": False})
