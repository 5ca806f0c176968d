#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: container_image_platforms
short_description: Refuse container images that lack the architecture of their tasks
version_added: 0.1.0
description:
  - Reads from Amazon ECR which platforms images were built for, and fails where one lacks the architecture of a task
    that will run it. On Fargate such a task ends with C(exec format error) or C(CannotPullContainerError), after
    everything else was changed.
  - An image that is not in ECR, that ECR does not have yet, or that cannot be read is not judged.
  - It changes nothing.
author:
  - SM2A contributors (@sm2a)
options:
  images:
    description: The images.
    type: list
    elements: dict
    required: true
    suboptions:
      option:
        description: What names the image, for messages.
        type: str
        required: true
      image:
        description: The image with its digest, C(repository@sha256:...).
        type: str
        required: true
      architectures:
        description: >-
          The architecture, V(X86_64) or V(ARM64), of everything that runs the image, by what it is called in messages.
        type: dict
        required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.attributes.platform
"""

EXAMPLES = r"""
- name: Refuse an image that the workers on ARM64 could not run
  sm2a.airflow.container_image_platforms:
    images:
      - option: images_airflow_image
        image: "{{ repository }}@{{ digest }}"
        architectures:
          airflow_cpu_architecture: X86_64
          airflow_worker_groups, group heavy: ARM64
  vars:
    repository: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/airflow
    digest: sha256:8f1ac53b6e8d3d1ce0ae4d7e1a3b5c7d9f0e2a4c6b8d0f1e3a5c7b9d1f3e5a7c
"""

RETURN = r"""
images:
  description: The images, in the order given.
  returned: success
  type: list
  elements: dict
  contains:
    option:
      description: What names the image.
      type: str
      returned: always
    platforms:
      description: Platforms that it was built for, such as V(linux/arm64); empty when they are unknown.
      type: list
      elements: str
      returned: always
"""

from http.client import HTTPException
from typing import Any

from ansible.module_utils.urls import open_url
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.error_advice import advice
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_platforms import (
    PLATFORMS,
    Need,
    problems,
    read_platforms,
)

IMAGE_OPTIONS = {
    "option": {"type": "str", "required": True},
    "image": {"type": "str", "required": True},
    "architectures": {"type": "dict", "required": True},
}
# A description of an image has a few kilobytes.
LARGEST_BYTES = 4 * 1024 * 1024
SECONDS = 15
WHAT_TO_DO = (
    "Build the image for every platform that is needed (images_platforms, or docker buildx build --platform), "
    "or choose the architecture that it has."
)


def fetch(url: str) -> bytes:
    """What is at the address; it is signed, so it stays out of messages."""
    with open_url(url, timeout=SECONDS) as answer:
        return bytes(answer.read(LARGEST_BYTES))


def look(module: AnsibleAWSModule, ecr: Any, need: Need) -> list[str]:
    """Platforms of one image; none, and a warning, when they cannot be read."""
    try:
        return read_platforms(ecr, need.image, fetch)
    except AnsibleAWSError as error:
        reason = advice(error.exception) or str(error)
    except (OSError, HTTPException, ValueError, KeyError) as error:
        reason = f"its description cannot be read from ECR ({type(error).__name__})"
    module.warn(f"{need.option}: not checked for the architecture of the tasks that run it: {reason}")
    return []


def judge(module: AnsibleAWSModule) -> dict[str, Any]:
    """The answer; the module fails with everything that is lacking."""
    needs = [Need(**image) for image in module.params["images"]]
    for need in needs:
        if unknown := sorted(set(need.architectures.values()) - PLATFORMS.keys()):
            module.fail_json(msg=f"{need.option}: {', '.join(unknown)} is none of {', '.join(PLATFORMS)}")
    ecr = client(module, "ecr")
    found = [(need, look(module, ecr, need)) for need in needs]
    lacking = [problem for need, platforms in found for problem in problems(need, platforms)]
    if lacking:
        lines = [f"- {problem}" for problem in lacking]
        module.fail_json(msg="\n".join(["Nothing was changed. Images without an architecture:", *lines, WHAT_TO_DO]))
    images = [{"option": need.option, "platforms": platforms} for need, platforms in found]
    return {"changed": False, "images": images}


def main() -> None:
    """Look at the images."""
    spec = {"images": {"type": "list", "elements": "dict", "required": True, "options": IMAGE_OPTIONS}}
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    exit_with(module, lambda: judge(module))


if __name__ == "__main__":
    main()
