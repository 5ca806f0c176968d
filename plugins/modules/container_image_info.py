#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: container_image_info
short_description: Say which container images Amazon ECR has
version_added: 0.1.0
description:
  - Looks in ECR for the images that M(sm2a.airflow.container_image) builds of a checkout. It needs no container engine.
author:
  - SM2A contributors (@sm2a)
options:
  images:
    description:
      - The images. One with an empty text as its repository is not looked for, and only its tag is told.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.attributes.platform
  - sm2a.airflow.container_images
  - sm2a.airflow.placeholders
"""

EXAMPLES = r"""
- name: Look for the image of this checkout
  sm2a.airflow.container_image_info:
    images:
      - name: autoscaler
        repository: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/staging/autoscaler
        context: docker/autoscaler
  register: found
"""

RETURN = r"""
images:
  description: The images, in the order given, also those that ECR does not have.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What the image is called.
      type: str
      returned: always
    exists:
      description: Whether ECR has it.
      type: bool
      returned: always
    tag:
      description: Tag of the image.
      type: str
      returned: always
    digest:
      description: Digest by which ECR knows the image; empty when it does not. That of a placeholder has only zeros.
      type: str
      returned: always
    uri:
      description: Name for a task definition, C(repository@digest); empty without a digest.
      type: str
      returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import ecr as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import PLACEHOLDERS_OPTION, are_wanted
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import EngineError
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_build import Image
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_destinations import (
    UNKNOWN_DIGEST,
    ecr_repository,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_options import IMAGE_OPTIONS, images_of


def look(ecr: Any, image: Image, unknown: str) -> dict[str, Any]:
    """One item of the answer; ``unknown`` is the digest of an image that ECR does not have."""
    found = api.image_digest(ecr, ecr_repository(image), image.tag) if image.repository else ""
    digest = found or (unknown if image.repository else "")
    return {
        "name": image.name,
        "exists": bool(found),
        "tag": image.tag,
        "digest": digest,
        "uri": f"{image.repository}@{digest}" if digest else "",
    }


def images(module: AnsibleAWSModule, ecr: Any) -> list[dict[str, Any]]:
    """Every image that is asked for."""
    unknown = UNKNOWN_DIGEST if are_wanted(module) else ""
    return [look(ecr, image, unknown) for image in images_of(module.params)]


def main() -> None:
    """Look for the images."""
    module = AnsibleAWSModule(argument_spec={**IMAGE_OPTIONS, **PLACEHOLDERS_OPTION}, supports_check_mode=True)
    try:
        exit_with(module, lambda: {"changed": False, "images": images(module, client(module, "ecr"))})
    except (EngineError, FileNotFoundError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
