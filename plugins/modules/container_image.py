#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: container_image
short_description: Build container images and push them to Amazon ECR
version_added: 0.1.0
description:
  - Builds images with Docker or Podman and pushes them to ECR, several in one task and at the same time.
  - An image's tag is by default the hash of what it is built from, the same on every machine for the same checkout.
    A tag that ECR has already is left alone, which needs no container engine.
  - Use it with repositories whose tags are immutable.
author:
  - SM2A contributors (@sm2a)
options:
  push:
    description: Whether the images go to ECR. Without it they stay in the engine.
    type: bool
    default: true
  registry_endpoint:
    description:
      - Host and port to which ECR pushes go, where it is not the repository's own name.
      - Plain HTTP is used for an address of this machine itself only.
    type: str
  compression:
    description:
      - How Podman compresses the layers that it pushes. Fargate, ECR and scans of Amazon Inspector take both. Layers
        are smaller with zstd and pushed sooner, and AWS measured that tasks on Fargate start sooner.
      - Docker pushes layers as it keeps them, which mostly is with gzip.
      - It does not count for the content hash, so that an image that ECR has already stays as it is.
    type: str
    choices: [zstd, gzip]
    default: zstd
  sbom_directory:
    description:
      - Where the bills of materials of images that are made go, as C(<name>.cdx.json), or
        C(<name>-<architecture>.cdx.json) for each of several platforms.
    type: path
  minimum_free_gib:
    description: Free disk space, in GiB, without which nothing is begun.
    type: float
    default: 2.0
  log_directory:
    description: Where the output of each build and push is written while it runs, as C(<name>.log).
    type: path
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.attributes.platform
  - sm2a.airflow.container_engine
  - sm2a.airflow.container_images
"""

EXAMPLES = r"""
- name: Build two images and push them
  sm2a.airflow.container_image:
    log_directory: /var/log/images
    images:
      - name: airflow
        repository: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/staging/airflow
        context: .
        include: [docker/airflow, dags]
        dockerfile: docker/airflow/Dockerfile
        secrets:
          ca_bundle: /etc/ssl/certs/ca-certificates.crt
      - name: autoscaler
        repository: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/staging/autoscaler
        context: docker/autoscaler

- name: Build an image for this machine only
  sm2a.airflow.container_image:
    push: false
    log_directory: /var/log/images
    images:
      - name: postgres
        repository: docker.io/library/postgres
        tag: 17-alpine
        context: docker/postgres
"""

RETURN = r"""
images:
  description: The images, in the order given.
  type: list
  returned: always
  elements: dict
  contains:
    name:
      description: What the image is called.
      type: str
      returned: always
    changed:
      description: Whether this image was built or pushed.
      type: bool
      returned: always
    tag:
      description: Tag of the image.
      type: str
      returned: always
    digest:
      description:
        - Digest by which ECR knows the image; without O(push) empty.
        - In check mode, for an image that would be pushed, V(sha256:) and zeros.
      type: str
      returned: always
    uri:
      description: Name for a task definition, C(repository@digest); without O(push) C(repository:tag).
      type: str
      returned: always
    log:
      description: File with the output of the build and the push.
      type: str
      returned: when the image was built or pushed
    sboms:
      description: Files with the bills of materials, one for each platform.
      type: list
      elements: str
      returned: when the image was built or pushed
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, joint_result
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.base_image import BaseImage
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import (
    ENGINE_OPTION,
    Engine,
    EngineError,
    find_engine,
    require_free_space,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_build import Image
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_destinations import (
    UNKNOWN_DIGEST,
    Local,
    Registry,
    make_all,
    report,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_options import IMAGE_OPTIONS, images_of


def on_base_image(engine: Engine, images: list[Image], options: Mapping[str, Any]) -> list[Image]:
    """The images, built on the base image when one is asked for; it is got into the engine when it is not there."""
    if not options["base_image"]:
        return images
    base = BaseImage.from_options(options["base_image"])
    found = base.find(engine)
    if found is None:
        base.obtain(engine, Path(options["log_directory"]) / "base_image.log")
        found = base.find(engine)
    name = found[0] if found else base.name
    return [replace(image, build_args={**image.build_args, "BASE_IMAGE": name}) for image in images]


def ensure_images(
    place: Local | Registry, images: list[Image], options: Mapping[str, Any], check_mode: bool
) -> list[Any]:
    """The report of every image, after making those that are not up to date."""
    reports = {image.name: place.current(image) for image in images}
    missing = [image for image in images if reports[image.name] is None]
    if check_mode:
        digest = UNKNOWN_DIGEST if options["push"] else ""
        made = {image.name: report(image, digest, True) for image in missing}
    elif missing:
        engine = find_engine(options["engine"])
        names = " and ".join(image.name for image in missing)
        require_free_space([engine.storage()], options["minimum_free_gib"], f"Building {names}")
        made = make_all(place, on_base_image(engine, missing, options), Path(options["log_directory"]))
    else:
        made = {}
    return [made.get(image.name) or reports[image.name] for image in images]


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    return {
        **IMAGE_OPTIONS,
        "push": {"type": "bool", "default": True},
        "registry_endpoint": {"type": "str"},
        "compression": {"type": "str", "choices": ["zstd", "gzip"], "default": "zstd"},
        **ENGINE_OPTION,
        "sbom_directory": {"type": "path"},
        "minimum_free_gib": {"type": "float", "default": 2.0},
        "log_directory": {"type": "path", "required": True},
    }


def main() -> None:
    """Make sure of every image and report per image."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    options = module.params
    try:
        sboms = Path(options["sbom_directory"]) if options["sbom_directory"] else None
        images = images_of(options, sboms)
        place: Local | Registry
        place = Registry(client(module, "ecr"), options) if options["push"] else Local(find_engine(options["engine"]))
        reports = ensure_images(place, images, options, module.check_mode)
    except AnsibleAWSError as error:
        module.fail_json_aws_error(error)
    except (EngineError, FileNotFoundError) as error:
        module.fail_json(msg=str(error))
    outcomes = {item["name"]: Outcome(item["changed"], {}, {"uri": item["uri"]}) for item in reports}
    module.exit_json(**joint_result(outcomes, images=reports))


if __name__ == "__main__":
    main()
