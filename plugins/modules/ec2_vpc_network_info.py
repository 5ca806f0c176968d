#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_vpc_network_info
version_added: 0.1.0
short_description: Read a VPC with its subnets, gateways, route tables and security groups
description:
  - Reads what M(sm2a.airflow.ec2_vpc_network) and M(sm2a.airflow.ec2_security_groups) manage, by name and tags.
  - Or reads, and checks, a VPC and subnets that somebody else manages, by their ids. The subnets must exist, be in the
    VPC, and be in two availability zones or more.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description:
      - Name tag of the VPC. Not compared with O(vpc_id), which needs none.
    type: str
    required: true
  lookup_tags:
    description:
      - Tags that the VPC and its security groups must carry. Not compared with a VPC of O(vpc_id), but with its groups.
    type: dict
    default: {}
  vpc_id:
    description:
      - A VPC that somebody else manages. It must exist.
    type: str
  public_subnet_ids:
    description:
      - Public subnets of O(vpc_id), if a load balancer is to be reached from the internet.
    type: list
    elements: str
    default: []
  private_subnet_ids:
    description:
      - Private subnets of O(vpc_id).
    type: list
    elements: str
  availability_zone_count:
    description: How many subnets of each kind O(placeholders) makes up.
    type: int
    default: 2
  security_group_names:
    description: Names of the security groups that O(placeholders) makes up ids for.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.placeholders
"""

EXAMPLES = r"""
- name: Read the network
  sm2a.airflow.ec2_vpc_network_info:
    name: staging
  register: staging

- name: Read a VPC that is given
  sm2a.airflow.ec2_vpc_network_info:
    name: staging
    vpc_id: vpc-0123456789abcdef0
    public_subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    private_subnet_ids: [subnet-0123456789abcdef2, subnet-0123456789abcdef3]
  register: staging
"""

RETURN = r"""
networks:
  description:
    - The network, as RV(sm2a.airflow.ec2_vpc_network#module:network) plus C(security_group_ids); no entry when there is
      none, unless O(placeholders). A VPC of O(vpc_id) shows only what concerns its given subnets.
  returned: always
  type: list
  elements: dict
  contains:
    exists:
      description: Whether the VPC exists; V(false) for a placeholder.
      type: bool
      returned: always
    vpc_id:
      description: The VPC.
      type: str
      returned: always
    public_subnet_ids:
      description: Its public subnets, in the order of the zones.
      type: list
      elements: str
      returned: always
    private_subnet_ids:
      description: Its private subnets, likewise.
      type: list
      elements: str
      returned: always
    security_group_ids:
      description: Id of each security group of the VPC that carries O(lookup_tags), by its name.
      type: dict
      returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import (
    PLACEHOLDERS_OPTION,
    are_wanted,
    single,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.existing_network import read_given_network
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import (
    describe,
    describe_security_groups,
    read_network,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import Run, placeholder


def read(ec2: Any, params: dict[str, Any]) -> dict[str, Any] | None:
    """The network; None when there is none."""
    if params["vpc_id"]:
        view = read_given_network(
            ec2, params["name"], params["vpc_id"], params["public_subnet_ids"], params["private_subnet_ids"]
        )
    else:
        network = read_network(ec2, params["name"], params["lookup_tags"])
        if not network.vpc:
            return None
        view = describe(network)
    run = Run(ec2, check_mode=True, lookup_tags=params["lookup_tags"])
    groups = [group for group in describe_security_groups(ec2, view["vpc_id"]) if run.owns(group)]
    return {**view, "security_group_ids": {group["GroupName"]: group["GroupId"] for group in groups}}


def identifiers(params: dict[str, Any]) -> dict[str, Any]:
    """Made-up ones of a VPC and its subnets; a given VPC has its own."""
    if params["vpc_id"]:
        return {"name": params["name"]}
    count = params["availability_zone_count"]
    subnets = [placeholder("subnet", index) for index in range(2 * count)]
    return {
        "name": params["name"],
        "vpc_id": placeholder("vpc"),
        "public_subnet_ids": subnets[:count],
        "private_subnet_ids": subnets[count:],
    }


def networks(module: AnsibleAWSModule, ec2: Any) -> list[dict[str, Any]]:
    """The network in a list, which is empty when there is none."""
    params = module.params
    found = single(module, read(ec2, params), identifiers(params))
    if are_wanted(module):
        groups = {name: placeholder("sg", index) for index, name in enumerate(params["security_group_names"])}
        return [{**each, "security_group_ids": groups | each.get("security_group_ids", {})} for each in found]
    return found


def main() -> None:
    """Read the network."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "lookup_tags": {"type": "dict", "default": {}},
            "vpc_id": {"type": "str"},
            "public_subnet_ids": {"type": "list", "elements": "str", "default": []},
            "private_subnet_ids": {"type": "list", "elements": "str"},
            "availability_zone_count": {"type": "int", "default": 2},
            "security_group_names": {"type": "list", "elements": "str", "default": []},
            **PLACEHOLDERS_OPTION,
        },
        required_together=[("vpc_id", "private_subnet_ids")],
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "networks": networks(module, client(module, "ec2"))})


if __name__ == "__main__":
    main()
