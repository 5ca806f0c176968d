# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The ARN of the Amazon ECR repository that an image lies in."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ecr_repository_arn
version_added: 0.1.0
short_description: The ARN of the Amazon ECR repository of an image
description:
  - Turns the name of an image into the ARN of its repository, for a policy that lets somebody pull it.
author:
  - SM2A contributors (@sm2a)
options:
  _input:
    description: Name of the image, with or without tag and digest.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the ARN of a repository
  ansible.builtin.debug:
    msg: "{{ '123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/airflow:1' | sm2a.airflow.ecr_repository_arn }}"
    # arn:aws:ecr:eu-west-1:123456789012:repository/team/airflow
"""

RETURN = r"""
_value:
  description: The ARN, or an empty string for an image that is not in Amazon ECR.
  type: str
"""

import re
from collections.abc import Callable
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.common.partitions import ANY_DOMAIN, partition_of

IMAGE = re.compile(
    rf"(?P<account>\d{{12}})\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.({ANY_DOMAIN}|on\.aws)/(?P<name>[^@:]+)"
)


def ecr_repository_arn(image: Any) -> str:
    """The ARN of the repository of ``image``; "" when that is not in Amazon ECR."""
    match = IMAGE.match(str(image))
    if match is None:
        return ""
    region = match["region"]
    return f"arn:{partition_of(region)}:ecr:{region}:{match['account']}:repository/{match['name']}"


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"ecr_repository_arn": ecr_repository_arn}
