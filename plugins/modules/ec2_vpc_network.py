#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_vpc_network
version_added: 0.1.0
short_description: Manage a VPC with public and private subnets, gateways and route tables
description:
  - Manages a VPC, its internet gateway, one public and one private subnet per availability zone, NAT gateways with
    their elastic addresses, one public route table and one private route table per zone.
  - One module run reads and changes all of them. Check mode is exact, also before the VPC exists and after parts of
    it were deleted.
  - No subnet gives public addresses to what starts in it. DNS support and DNS host names of the VPC are on.
  - Only the default route and the associations of its own subnets are managed in the route tables. Other routes, such
    as those of peerings and gateway endpoints, are left alone.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description:
      - Name tag of the VPC and first part of the Name tag of everything in it.
    type: str
    required: true
  lookup_tags:
    description:
      - Tags that the VPC must carry, besides its name, to be taken for this network. They are written at creation too.
    type: dict
    default: {}
  cidr:
    description:
      - IPv4 range of the VPC. Required when O(state=present). It cannot change afterwards.
    type: str
  availability_zones:
    description:
      - Zones of the subnets, in order.
      - Unset or empty keeps the zones of existing subnets, and takes the region's first zones for new ones.
    type: list
    elements: str
    default: []
  public_subnet_cidrs:
    description:
      - Ranges of the public subnets, one per zone. Required when O(state=present).
    type: list
    elements: str
  private_subnet_cidrs:
    description:
      - Ranges of the private subnets, one per zone. Required when O(state=present).
    type: list
    elements: str
  nat_gateways:
    description:
      - V(single) sends the traffic of all private subnets through one NAT gateway in the first zone, V(per_zone)
        through one in each zone, V(none) removes the NAT gateways and the default route of the private subnets.
    type: str
    choices: [none, single, per_zone]
    default: single
  state:
    description:
      - Whether the network exists. V(absent) deletes what carries the network's names, then the VPC.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: Two zones, one NAT gateway
  sm2a.airflow.ec2_vpc_network:
    name: staging
    cidr: 10.90.0.0/16
    public_subnet_cidrs: [10.90.0.0/24, 10.90.1.0/24]
    private_subnet_cidrs: [10.90.32.0/20, 10.90.48.0/20]
    tags:
      team: data

- name: Remove it
  sm2a.airflow.ec2_vpc_network:
    name: staging
    state: absent
"""

RETURN = r"""
network:
  description: The network. In check mode, ids of what would be created are made of zeros.
  returned: always
  type: dict
  contains:
    name:
      description: The name asked for.
      type: str
      returned: always
    vpc_id:
      description: The VPC; null when absent.
      type: str
      returned: always
    cidr:
      description: Its IPv4 range.
      type: str
      returned: always
    internet_gateway_id:
      description: Its internet gateway.
      type: str
      returned: always
    availability_zones:
      description: Zones of the private subnets.
      type: list
      elements: str
      returned: always
    public_subnet_ids:
      description: Public subnets, in the order of the zones.
      type: list
      elements: str
      returned: always
    private_subnet_ids:
      description: Private subnets, in the order of the zones.
      type: list
      elements: str
      returned: always
    public_route_table_id:
      description: Route table of the public subnets.
      type: str
      returned: always
    private_route_table_ids:
      description: Route tables of the private subnets, in the order of the zones.
      type: list
      elements: str
      returned: always
    nat_gateway_ids:
      description: NAT gateways, in the order of the zones.
      type: list
      elements: str
      returned: always
    tags:
      description: Tags of the VPC.
      type: dict
      returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import STATE_OPTION, TAG_OPTIONS, client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2 import Run, placeholder
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2_network import (
    Network,
    describe,
    describe_availability_zones,
    name_of,
    read_network,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2_network_changes import (
    ensure_internet_gateway,
    ensure_nat_gateway,
    ensure_route_table,
    ensure_subnet,
    ensure_vpc,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2_network_removal import (
    remove_nat_gateways,
    remove_network,
    wait_for_nat_gateways,
)


def zones_of(run: Run, network: Network, wanted: list[str], count: int) -> list[str]:
    """The zones of the subnets: those asked for, else those in use, else the region's first."""
    if len(wanted) >= count:
        return wanted[:count]
    if wanted:
        raise AnsibleAWSError(message=f"{count} subnets of each kind need {count} availability zones, not {wanted}")
    region = [] if len(network.subnets) >= 2 * count else describe_availability_zones(run.ec2)
    zones: list[str] = []
    for index in range(count):
        tiers = (network.subnets.get(name_of(network.name, kind, index)) for kind in ("public", "private"))
        used = next((str(subnet["AvailabilityZone"]) for subnet in tiers if subnet), None)
        free = [zone for zone in region if zone not in zones]
        if not used and not free:
            raise AnsibleAWSError(message=f"The region has fewer than {count} availability zones")
        zones.append(used or free[0])
    return zones


def ensure_present(run: Run, network: Network, params: dict[str, Any]) -> dict[str, Any]:
    """Create and change what differs; return the network, with placeholder ids in check mode."""
    name = network.name
    count = len(params["public_subnet_cidrs"])
    if len(params["private_subnet_cidrs"]) != count:
        raise AnsibleAWSError(message="public_subnet_cidrs and private_subnet_cidrs need the same number of ranges")
    zones = zones_of(run, network, params["availability_zones"], count)
    vpc_id = ensure_vpc(run, network, params["cidr"])
    internet_gateway_id = ensure_internet_gateway(run, network, vpc_id)

    subnets: dict[str, list[str]] = {"public": [], "private": []}
    for kind, ids in subnets.items():
        for index, cidr in enumerate(params[f"{kind}_subnet_cidrs"]):
            made = ensure_subnet(run, network, name_of(name, kind, index), vpc_id, (cidr, zones[index]))
            ids.append(made or placeholder("subnet", index + (count if kind == "private" else 0)))

    gateways = []
    for index in range({"none": 0, "single": min(count, 1), "per_zone": count}[params["nat_gateways"]]):
        made = ensure_nat_gateway(run, network, name_of(name, "nat", index), subnets["public"][index])
        gateways.append(made or placeholder("nat", index))
    wait_for_nat_gateways(run, gateways)

    public = {name_of(name, "public", index): subnet_id for index, subnet_id in enumerate(subnets["public"])}
    public_table = ensure_route_table(run, network, f"{name}-public", internet_gateway_id, public)
    private_tables = []
    for index, subnet_id in enumerate(subnets["private"]):
        target = gateways[min(index, len(gateways) - 1)] if gateways else None
        own_name = name_of(name, "private", index)
        table = ensure_route_table(run, network, own_name, target, {own_name: subnet_id})
        private_tables.append(table or placeholder("rtb", index + 1))

    kept = {name_of(name, "nat", index) for index in range(len(gateways))}
    remove_nat_gateways(run, network, kept)
    return {
        "name": name,
        "vpc_id": vpc_id,
        "cidr": params["cidr"],
        "internet_gateway_id": internet_gateway_id,
        "availability_zones": zones,
        "public_subnet_ids": subnets["public"],
        "private_subnet_ids": subnets["private"],
        "public_route_table_id": public_table or placeholder("rtb"),
        "private_route_table_ids": private_tables,
        "nat_gateway_ids": gateways,
        "tags": run.after[name]["tags"],
    }


def ensure_absent(run: Run, network: Network) -> dict[str, Any]:
    """Delete whatever of the network is left; return an empty network."""
    remove_network(run, network)
    return describe(Network(network.name))


def ensure(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Find the network, bring it to its state, and return it."""
    tags, lookup_tags = params["tags"], params["lookup_tags"]
    network = read_network(run.ec2, params["name"], lookup_tags)
    if tags is not None or network.vpc is None:
        run.tags = {**(tags or {}), **lookup_tags}
    return ensure_present(run, network, params) if params["state"] == "present" else ensure_absent(run, network)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "lookup_tags": {"type": "dict", "default": {}},
            "cidr": {"type": "str"},
            "availability_zones": {"type": "list", "elements": "str", "default": []},
            "public_subnet_cidrs": {"type": "list", "elements": "str"},
            "private_subnet_cidrs": {"type": "list", "elements": "str"},
            "nat_gateways": {"type": "str", "choices": ["none", "single", "per_zone"], "default": "single"},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        required_if=[("state", "present", ("cidr", "public_subnet_cidrs", "private_subnet_cidrs"))],
        supports_check_mode=True,
    )
    run = Run(client(module, "ec2"), module.check_mode, module.params["tags"], module.params["purge_tags"])
    exit_with(module, lambda: run.result(network=ensure(run, module.params)))


if __name__ == "__main__":
    main()
