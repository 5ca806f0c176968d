# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which architecture each image is needed for, and whether images that are built here have it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_platforms import PLATFORMS

DEFAULT = "X86_64"
# Options that give an image instead of having it built.
AIRFLOW_IMAGE, AUTOSCALER_IMAGE = "images_airflow_image", "images_autoscaler_image"


def architectures(values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """By the option that may give the image: ``{option or worker group: architecture}`` of all that runs it."""
    default = values.get("airflow_cpu_architecture") or DEFAULT
    groups = values.get("airflow_worker_groups") or []
    of_groups = {
        f"airflow_worker_groups, group {group['name']}": group.get("cpu_architecture") or default for group in groups
    }
    return {
        AIRFLOW_IMAGE: {"airflow_cpu_architecture": default, **of_groups},
        AUTOSCALER_IMAGE: {"autoscaler_cpu_architecture": values.get("autoscaler_cpu_architecture") or DEFAULT},
    }


def architecture_problems(values: Mapping[str, Any]) -> list[str]:
    """Architectures that images will not be built for. Those of given images are in their registry."""
    platforms = values.get("images_platforms")
    if not platforms:
        return []
    return [
        f"{what}: {architecture} needs {PLATFORMS[architecture]} in images_platforms, which has {', '.join(platforms)}"
        for option, needs in architectures(values).items()
        if not values.get(option)
        for what, architecture in needs.items()
        if PLATFORMS[architecture] not in platforms
    ]
