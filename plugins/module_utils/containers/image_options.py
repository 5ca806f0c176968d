# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The options that say which images there are to be, as AnsibleModule wants them, and the images that they mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.base_image import BASE_IMAGE_OPTIONS, BaseImage
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_build import Image, describe_image

OVERLAY = {
    "source": {"type": "path", "required": True},
    "target": {"type": "str", "required": True},
    "include": {"type": "list", "elements": "str"},
}
IMAGE: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "repository": {"type": "str", "required": True},
    "tag": {"type": "str"},
    "context": {"type": "path", "required": True},
    "include": {"type": "list", "elements": "str"},
    "exclude": {"type": "list", "elements": "str"},
    "dockerfile": {"type": "str", "default": "Dockerfile"},
    "build_args": {"type": "dict"},
    "secrets": {"type": "dict", "no_log": False},
    "overlays": {"type": "list", "elements": "dict", "options": OVERLAY},
    "platforms": {"type": "list", "elements": "str"},
    "sbom": {"type": "str"},
}
# Documented by the fragment container_images.
IMAGE_OPTIONS: dict[str, dict[str, Any]] = {
    "images": {"type": "list", "elements": "dict", "required": True, "options": IMAGE},
    "base_image": {"type": "dict", "options": BASE_IMAGE_OPTIONS},
}


def images_of(options: Mapping[str, Any], sbom_directory: Path | None = None) -> list[Image]:
    """The images of a module's options; FileNotFoundError when a file that one names is not there."""
    base = BaseImage.from_options(options["base_image"]).name if options["base_image"] else ""
    return [describe_image(item, base, sbom_directory) for item in options["images"]]
