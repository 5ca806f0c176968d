# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The platforms that an image in Amazon ECR was built for, and whether these are what its tasks need."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils import ecr as api

# The platform of an image for each architecture of ECS.
PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}
# Of what lies beside the images of an index, such as their provenance.
NO_PLATFORM = "unknown"


@dataclass(frozen=True)
class Need:
    """An image, the option that names it, and which architecture what needs of it: ``{option or group: ARM64}``."""

    option: str
    image: str
    architectures: Mapping[str, str]


def read_platforms(ecr: Any, image: str, fetch: Callable[[str], bytes]) -> list[str]:
    """Platforms of an image that is named by its digest, such as ``linux/arm64``; none when ECR does not tell.

    ``fetch`` reads a URL: the manifest of a single image leaves its platform to a file of its own.
    """
    name, _at, digest = image.partition("@")
    repository = api.parse_repository_uri(name)
    manifest = api.manifest(ecr, repository, digest) if repository and digest else None
    if repository is None or manifest is None:
        return []
    if "manifests" in manifest:
        return sorted(_of_index(manifest))
    url = api.layer_url(ecr, repository, str(manifest["config"]["digest"]))
    return [_platform(json.loads(fetch(url)))] if url else []


def _of_index(index: Mapping[str, Any]) -> set[str]:
    platforms = [entry["platform"] for entry in index["manifests"] if entry.get("platform")]
    return {_platform(one) for one in platforms if one["architecture"] != NO_PLATFORM}


def _platform(described: Mapping[str, Any]) -> str:
    return f"{described['os']}/{described['architecture']}"


def problems(need: Need, platforms: Sequence[str]) -> list[str]:
    """One sentence for each architecture that the image lacks; an image whose platforms are unknown lacks none."""
    found = []
    for what, architecture in need.architectures.items():
        if architecture not in PLATFORMS:
            found.append(f"{what}: {architecture} is none of {', '.join(PLATFORMS)}")
        elif platforms and PLATFORMS[architecture] not in platforms:
            found.append(
                f"{what}: {architecture} needs {PLATFORMS[architecture]}, but {need.option} was built for "
                f"{' and '.join(platforms)} only"
            )
    return found
