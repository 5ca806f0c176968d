# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations


class ModuleDocFragment:
    """IMAGE_OPTIONS of module_utils/containers/image_options.py."""

    DOCUMENTATION = r"""
options:
  images:
    description: The images.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the image is called in results, messages and the name of its log.
        type: str
        required: true
      repository:
        description: URI of the ECR repository; of an image that is not pushed, any image name without its tag.
        type: str
        required: true
      tag:
        description: Tag of the image. Without it, C(sha-) and the first 16 digits of the content hash.
        type: str
      context:
        description: Directory that the Dockerfile's paths are relative to.
        type: path
        required: true
      include:
        description: Files and directories of the context that take part. Without it all do.
        type: list
        elements: str
      exclude:
        description: Patterns of names or of paths in the context that do not take part, nor do caches of tools.
        type: list
        elements: str
      dockerfile:
        description: Path of the Dockerfile in the context.
        type: str
        default: Dockerfile
      build_args:
        description: Values of the Dockerfile's ARG instructions. Never put a secret here, engines record them.
        type: dict
      secrets:
        description: Files that the Dockerfile may mount as secrets, by id. They do not count for the content hash.
        type: dict
      overlays:
        description:
          - Directories elsewhere whose files are laid over those of the context, in this order, or single files. They
            take part in the build and in the content hash like the others.
        type: list
        elements: dict
        suboptions:
          source:
            description: The directory, or a file.
            type: path
            required: true
          target:
            description: Where its files go in the context, or the path of the file there.
            type: str
            required: true
          include:
            description: Files and directories in it that take part, as far as they exist. Without it all do.
            type: list
            elements: str
      platforms:
        description:
          - Platforms such as V(linux/arm64). Without it the engine's own. With several, each is built and pushed with a
            tag of its own, and the image's tag names an index of them.
        type: list
        elements: str
      sbom:
        description: Path in the image of its bill of materials, which is copied out of it after the build.
        type: str
  base_image:
    description:
      - A Debian base image to have in the engine before anything is built, see M(sm2a.airflow.container_base_image).
        Nothing is done about it when no image has to be built.
    type: dict
    suboptions:
      name:
        description:
          - Full name of the image in its registry, by digest. The builds get the name of what the engine then has as
            the build argument C(BASE_IMAGE). This one, not that, counts for the content hash.
        type: str
        default: docker.io/library/debian@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f
      source:
        description: V(auto) pulls when the registry answers, else makes the image with debootstrap.
        type: str
        choices: [auto, registry, debootstrap]
        default: auto
      suite:
        description: Debian release that debootstrap installs.
        type: str
        default: trixie
      mirror:
        description: Debian mirror for debootstrap. Without it, those of this machine's own apt configuration.
        type: str
"""
