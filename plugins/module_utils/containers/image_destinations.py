# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Where built images stay: in the engine, or in Amazon ECR by digest, also as an index of several platforms."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils import ecr as api
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import Engine, EngineError, find_engine
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_build import (
    CONTENT_LABEL,
    Destination,
    Image,
    build,
    copy_sbom,
    push,
)

UNKNOWN_DIGEST = f"sha256:{'0' * 64}"


def report(image: Image, digest: str, changed: bool, log: str = "") -> dict[str, Any]:
    """One item of the module's ``images``; ``log`` of one that was made."""
    uri = f"{image.repository}@{digest}" if digest else image.reference
    item = {"name": image.name, "changed": changed, "tag": image.tag, "digest": digest, "uri": uri}
    if not log:
        return item
    bills = [str(part.sbom_file) for part in image.parts() if part.sbom_file and part.sbom_file.is_file()]
    return {**item, "log": log, "sboms": bills}


def ecr_repository(image: Image) -> api.RepositoryUri:
    """The image's ECR repository; EngineError when its name is not one."""
    repository = api.parse_repository_uri(image.repository)
    if repository is None:
        raise EngineError(
            f"{image.repository} is not the URI of an ECR repository, so {image.name} cannot be pushed there"
        )
    return repository


class Local:
    """Images that stay in the engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def current(self, image: Image) -> dict[str, Any] | None:
        """The report of an image that is up to date, or None."""
        found = self.engine.image(image.reference, CONTENT_LABEL)
        return report(image, "", False) if found and found[1] == image.content else None

    def make(self, image: Image, log: Path) -> str:
        """Build it; an image that stays here has no digest."""
        build(self.engine, image, log)
        copy_sbom(self.engine, image)
        return ""

    def join(self, image: Image) -> str:
        """There is nothing to join."""
        raise EngineError(
            f"{image.name}: an image for several platforms cannot stay on this machine; push it to a repository"
        )


class Registry:
    """Images that go to ECR. The engine is looked for when one has to be built."""

    def __init__(self, ecr: Any, options: Mapping[str, Any]) -> None:
        self.ecr = ecr
        self.options = options

    def current(self, image: Image) -> dict[str, Any] | None:
        """The report of an image whose tag ECR has, or None."""
        digest = api.image_digest(self.ecr, ecr_repository(image), image.tag)
        return report(image, digest, False) if digest else None

    def make(self, image: Image, log: Path) -> str:
        """Build and push it, unless ECR has it, and ask ECR for its digest."""
        repository = ecr_repository(image)
        digest = api.image_digest(self.ecr, repository, image.tag)
        if digest:
            return str(digest)
        engine = find_engine(self.options["engine"])
        build(engine, image, log)
        copy_sbom(engine, image)
        host = self.options["registry_endpoint"] or repository.registry
        destination = Destination(host, repository.name, api.authorization_token(self.ecr))
        push(engine, image, destination, self.options["compression"], log)
        digest = api.image_digest(self.ecr, repository, image.tag)
        if not digest:
            raise EngineError(f"{image.name} was pushed to {host}, but ECR has no {repository.name}:{image.tag}")
        return str(digest)

    def join(self, image: Image) -> str:
        """Tag an index of the image's parts, which were pushed; returns its digest."""
        repository = ecr_repository(image)
        manifests = {part.platforms[0]: api.image_manifest(self.ecr, repository, part.tag) for part in image.parts()}
        return str(api.put_index(self.ecr, repository, image.tag, api.index_of(manifests)))


def make_all(place: Local | Registry, images: list[Image], logs: Path) -> dict[str, dict[str, Any]]:
    """Make the images at the same time; when some fail, the others are finished and all errors are told together.

    Platforms come one after another, because an engine holds a base image of one name for one platform only.
    """
    problems: dict[str, str] = {}
    digests: dict[str, str] = {}
    for image in images:
        (logs / f"{image.name}.log").unlink(missing_ok=True)
    for turn in zip_longest(*(image.parts() for image in images)):
        with ThreadPoolExecutor() as pool:
            parts = [part for part in turn if part and part.name not in problems]
            futures = {part.name: pool.submit(place.make, part, logs / f"{part.name}.log") for part in parts}
            for name, future in futures.items():
                try:
                    digests[name] = future.result()
                except EngineError as error:
                    problems[name] = str(error)
    if problems:
        raise EngineError("\n".join(problems.values()))
    digests |= {image.name: place.join(image) for image in images if len(image.parts()) > 1}
    return {image.name: report(image, digests[image.name], True, str(logs / f"{image.name}.log")) for image in images}
