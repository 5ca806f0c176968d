#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_vpc_network_info
version_added: 0.1.0
short_description: Read a VPC with its subnets, gateways, route tables and security groups
description:
  - Reads what M(sm2a.airflow.ec2_vpc_network) and M(sm2a.airflow.ec2_security_groups) manage, by name and tags.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description:
      - Name tag of the VPC.
    type: str
    required: true
  lookup_tags:
    description:
      - Tags that the VPC must carry besides its name.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
"""

EXAMPLES = r"""
- name: Read the network
  sm2a.airflow.ec2_vpc_network_info:
    name: staging
  register: staging
"""

RETURN = r"""
networks:
  description:
    - The network, as RV(sm2a.airflow.ec2_vpc_network#module:network) plus C(security_group_ids); no entry when there is
      none.
  returned: always
  type: list
  elements: dict
  contains:
    vpc_id:
      description: The VPC.
      type: str
      returned: always
    security_group_ids:
      description: Id of each security group of the VPC by its name.
      type: dict
      returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2_network import (
    describe,
    describe_security_groups,
    read_network,
)


def read(ec2: Any, params: dict[str, Any]) -> list[dict[str, Any]]:
    """The network in a list, which is empty when there is none."""
    network = read_network(ec2, params["name"], params["lookup_tags"])
    if not network.vpc:
        return []
    groups = describe_security_groups(ec2, network.vpc["VpcId"])
    ids = {group["GroupName"]: group["GroupId"] for group in groups}
    return [{**describe(network), "security_group_ids": ids}]


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "lookup_tags": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "networks": read(client(module, "ec2"), module.params)})


if __name__ == "__main__":
    main()
