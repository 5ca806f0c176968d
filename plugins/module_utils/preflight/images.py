# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Images that are given: whether they were built for the architecture of the tasks that run them."""

from __future__ import annotations

from functools import partial
from http.client import HTTPException

from ansible.module_utils.urls import open_url
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_platforms import (
    Need,
    problems,
    read_platforms,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import Answer, Context, Read

CHECK = "image_platforms"
# A description of an image has a few kilobytes.
LARGEST_BYTES = 4 * 1024 * 1024
SECONDS = 15


def fetch(url: str) -> bytes:
    """What is at the address; it is signed, so it stays out of messages."""
    with open_url(url, timeout=SECONDS) as answer:
        return bytes(answer.read(LARGEST_BYTES))


def platforms(context: Context, need: Need) -> Answer:
    """Architectures that one image lacks. An image that is not in ECR lacks none: nobody here can look."""
    try:
        found = read_platforms(context.clients["ecr"], need.image, fetch)
    except (OSError, HTTPException, ValueError, KeyError) as error:
        message = f"{need.option}: the description of the image cannot be read from ECR ({type(error).__name__})"
        raise AnsibleAWSError(message=message) from None
    return Answer([Finding(CHECK, f"{problem}.") for problem in problems(need, found)])


def reads(context: Context) -> list[Read]:
    """One question for each image."""
    needs = [Need(**image) for image in context.options["images"]]
    return [Read((CHECK,), partial(platforms, context, need)) for need in needs]
