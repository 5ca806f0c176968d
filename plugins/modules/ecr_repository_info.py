#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repository_info
short_description: Describe Amazon ECR repositories
version_added: 0.1.0
description:
  - Reads private ECR repositories of this account, by their names.
author:
  - SM2A contributors (@sm2a)
options:
  names:
    description:
      - Names of the repositories. Names without a repository are left out of the answer, unless O(placeholders).
      - URI and ARN of a placeholder are those that the repository will have.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.placeholders
"""

EXAMPLES = r"""
- name: Read two repositories
  sm2a.airflow.ecr_repository_info:
    names: [staging/airflow, staging/autoscaler]
  register: repositories
"""

RETURN = r"""
repositories:
  description: The repositories that exist, in the order of O(names).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the repository.
      type: str
      returned: always
    exists:
      description: Whether it exists; V(false) for a placeholder.
      type: bool
      returned: always
    uri:
      description: What image names start with.
      type: str
      returned: always
    arn:
      description: ARN of the repository.
      type: str
      returned: always
    tags:
      description: Its tags. What else is returned is named as the options of M(sm2a.airflow.ecr_repository).
      type: dict
      returned: when the repository exists
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import ecr as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import PLACEHOLDERS_OPTION, listed


def repositories(module: AnsibleAWSModule, ecr: Any) -> list[dict[str, Any]]:
    """The repositories that are asked for."""

    def identifiers(name: str) -> dict[str, str]:
        new = api.new_repository(client(module, "sts"), module.region, name)
        return {"uri": new["repositoryUri"], "arn": new["repositoryArn"]}

    names = module.params["names"]
    found = [repository for name in names if (repository := api.read_repository(ecr, name))]
    return listed(module, found, names, identifiers)


def main() -> None:
    """Read the repositories."""
    module = AnsibleAWSModule(
        argument_spec={"names": {"type": "list", "elements": "str", "required": True}, **PLACEHOLDERS_OPTION},
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "repositories": repositories(module, client(module, "ecr"))})


if __name__ == "__main__":
    main()
