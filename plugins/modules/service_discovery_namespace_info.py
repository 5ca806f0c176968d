#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: service_discovery_namespace_info
short_description: Describe an AWS Cloud Map HTTP namespace
version_added: 0.1.0
description:
  - Reads an HTTP namespace of AWS Cloud Map, by its name.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Name of the namespace.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.placeholders
"""

EXAMPLES = r"""
- name: Read the namespace
  sm2a.airflow.service_discovery_namespace_info:
    name: analytics
  register: namespace
"""

RETURN = r"""
namespaces:
  description: The namespace; no entry when there is none, unless O(placeholders).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the namespace.
      type: str
      returned: always
    exists:
      description: Whether it exists; V(false) for a placeholder.
      type: bool
      returned: always
    id:
      description: Id of the namespace.
      type: str
      returned: always
    arn:
      description: ARN of the namespace.
      type: str
      returned: always
    description:
      description: What the namespace is for.
      type: str
      returned: when the namespace exists
    tags:
      description: Tags of the namespace.
      type: dict
      returned: when the namespace exists
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import service_discovery
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import PLACEHOLDERS_OPTION, single


def namespaces(module: AnsibleAWSModule, cloud_map: Any) -> list[dict[str, Any]]:
    """The namespace in a list, which is empty when there is none."""
    name = module.params["name"]
    identifiers = {"name": name, **service_discovery.placeholder(cloud_map)}
    return single(module, service_discovery.read(cloud_map, name), identifiers)


def main() -> None:
    """Read the namespace."""
    module = AnsibleAWSModule(
        argument_spec={"name": {"type": "str", "required": True}, **PLACEHOLDERS_OPTION},
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "namespaces": namespaces(module, client(module, "servicediscovery"))})


if __name__ == "__main__":
    main()
