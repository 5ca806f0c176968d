#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service_info
short_description: Describe services of an Amazon ECS cluster
version_added: 0.1.0
description:
  - Reads services of one cluster, by their names.
  - A service that is being removed counts as gone, and so do all services of a cluster that does not exist.
author:
  - SM2A contributors (@sm2a)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  names:
    description: Names of the services. Names without a service are left out of the answer, unless O(placeholders).
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
- name: Read two services
  sm2a.airflow.ecs_service_info:
    cluster: analytics
    names: [web, worker]
  register: services
"""

RETURN = r"""
services:
  description: The services that exist, in the order of O(names).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the service.
      type: str
      returned: always
    exists:
      description: Whether it exists; V(false) for a placeholder.
      type: bool
      returned: always
    arn:
      description: ARN of the service.
      type: str
      returned: always
    task_definition_arn:
      description: ARN of the revision of its task definition; that of a placeholder has the name of the service.
      type: str
      returned: always
    task_definition:
      description: Family and revision of its task definition.
      type: str
      returned: when the service exists
    desired_count:
      description: How many tasks are to run.
      type: int
      returned: when the service exists
    running_count:
      description: How many tasks run.
      type: int
      returned: when the service exists
    finishing_count:
      description: How many of them are of an earlier deployment.
      type: int
      returned: when the service exists
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import (
    PLACEHOLDERS_OPTION,
    listed,
    placeholder_arn,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.services import active


def services(module: AnsibleAWSModule, ecs: Any) -> list[dict[str, Any]]:
    """The services that are asked for."""
    cluster, names = module.params["cluster"], module.params["names"]

    def identifiers(name: str) -> dict[str, str]:
        return {
            "arn": placeholder_arn(ecs, f"service/{cluster.rpartition('/')[2]}/{name}"),
            "task_definition_arn": placeholder_arn(ecs, f"task-definition/{name}:1"),
        }

    return listed(module, active(ecs, cluster, names), names, identifiers)


def main() -> None:
    """Read the services."""
    module = AnsibleAWSModule(
        argument_spec={
            "cluster": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            **PLACEHOLDERS_OPTION,
        },
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "services": services(module, client(module, "ecs"))})


if __name__ == "__main__":
    main()
