#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_vpc_network
version_added: 0.1.0
short_description: Manage a VPC with public and private subnets, gateways and route tables
description:
  - Manages a VPC, its internet gateway, one public and one private subnet per availability zone, NAT gateways with
    their elastic addresses, one public route table and one private route table per zone, and network ACLs.
  - One module run reads and changes all of them. Check mode is exact, also before the VPC exists and after parts of
    it were deleted.
  - No subnet gives public addresses to what starts in it. DNS support and DNS host names of the VPC are on.
  - IPv4 only.
  - Unlike M(amazon.aws.ec2_vpc_net), M(amazon.aws.ec2_vpc_subnet), M(amazon.aws.ec2_vpc_igw),
    M(amazon.aws.ec2_vpc_nat_gateway), M(amazon.aws.ec2_vpc_route_table) and M(amazon.aws.ec2_vpc_nacl) it shows a diff,
    makes no second VPC or internet gateway after a lost reply, and is exact in check mode while parts are not there.
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
  availability_zone_count:
    description:
      - How many zones the subnets are in. It may grow, but not shrink.
    type: int
    default: 2
  availability_zones:
    description:
      - Zones of the subnets, in order.
      - Unset or empty keeps the zones of existing subnets, and takes the region's first zones for new ones.
    type: list
    elements: str
    default: []
  public_subnet_cidrs:
    description:
      - Ranges of the public subnets, one per zone. Unset or empty derives them from O(cidr).
    type: list
    elements: str
  private_subnet_cidrs:
    description:
      - Ranges of the private subnets, one per zone. Unset or empty derives them from O(cidr).
    type: list
    elements: str
  nat_gateways:
    description:
      - V(single) sends the traffic of all private subnets through one NAT gateway in the first zone, V(per_zone)
        through one in each zone, V(none) removes the NAT gateways and the default route of the private subnets.
      - Unset leaves the NAT gateways and the default routes as they are.
    type: str
    choices: [none, single, per_zone]
  wait:
    description:
      - Wait until NAT gateways are available and the private subnets' routes lead to them.
      - V(false) starts the NAT gateways and leaves the routes that lead to those which are pending as they are; run the
        module again with V(true) before something needs them.
    type: bool
    default: true
  network_acls:
    description:
      - Network ACLs, one per tier of subnets, which let in everything from the VPC and TCP from anywhere to the ports
        given, and let everything out. They know no connections, so the ports of replies must be open.
      - Subnets of a tier that is not listed get the VPC's default ACL. Unset leaves the ACLs as they are.
    type: list
    elements: dict
    suboptions:
      tier:
        description: Which subnets.
        type: str
        choices: [public, private]
        required: true
      ports:
        description: TCP ports or ranges of ports, such as V(443) and V(1024-3388).
        type: list
        elements: str
        required: true
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
- name: Three zones, each with its NAT gateway
  sm2a.airflow.ec2_vpc_network:
    name: staging
    cidr: 10.90.0.0/16
    availability_zone_count: 3
    nat_gateways: per_zone
    tags:
      team: data

- name: Remove it
  sm2a.airflow.ec2_vpc_network:
    name: staging
    state: absent
"""

RETURN = r"""
pending:
  description: Ids of NAT gateways that no route can lead to yet; empty with O(wait).
  returned: always
  type: list
  elements: str
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
    cidrs:
      description: All its IPv4 ranges.
      type: list
      elements: str
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
    address_ids:
      description: Elastic addresses of the NAT gateways, in the order of the zones; also those without a gateway.
      type: list
      elements: str
      returned: always
    tags:
      description: Tags of the VPC.
      type: dict
      returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import (
    Network,
    cidrs_of,
    describe,
    describe_availability_zones,
    name_of,
    read_network,
    tier,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network_acls import ensure_network_acls
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network_changes import (
    default_target,
    ensure_internet_gateway,
    ensure_nat_gateway,
    ensure_route_table,
    ensure_subnet,
    ensure_vpc,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network_removal import (
    remove_nat_gateways,
    remove_network,
    wait_for_nat_gateways,
    wait_until_deleted,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import Run, placeholder
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.subnet_plan import (
    TIERS,
    subnet_cidrs,
    used_zones,
    zones_of,
)


def ensure_present(run: Run, network: Network, params: dict[str, Any]) -> dict[str, Any]:
    """Create and change what differs; return the module's members, with placeholder ids in check mode."""
    name, count = network.name, params["availability_zone_count"]
    cidrs = {kind: subnet_cidrs(params["cidr"], kind, count, params[f"{kind}_subnet_cidrs"]) for kind in TIERS}
    region = [] if all(used_zones(network, count)) else describe_availability_zones(run.ec2)
    zones = zones_of(network, params["availability_zones"], count, region)
    vpc_id = ensure_vpc(run, network, params["cidr"])
    internet_gateway_id = ensure_internet_gateway(run, network, vpc_id)

    subnets: dict[str, dict[str, str]] = {kind: {} for kind in TIERS}
    for kind in TIERS:
        for index, cidr in enumerate(cidrs[kind]):
            own_name = name_of(name, kind, index)
            made = ensure_subnet(run, network, own_name, vpc_id, (cidr, zones[index]))
            subnets[kind][own_name] = made or placeholder("subnet", index + (count if kind == "private" else 0))
    if params["network_acls"] is not None:
        ports = {one["tier"]: one["ports"] for one in params["network_acls"]}
        ensure_network_acls(run, network, ports, subnets)

    gateways = ensure_nat_gateways(run, network, params["nat_gateways"], list(subnets["public"].values()))
    if params["wait"] and params["nat_gateways"] is not None:
        wait_for_nat_gateways(run, gateways)
    waited_for = [] if params["wait"] else pending(network)
    public_table = ensure_route_table(run, network, f"{name}-public", internet_gateway_id, subnets["public"])
    private_tables = []
    for index, (own_name, subnet_id) in enumerate(subnets["private"].items()):
        target = gateways[min(index, len(gateways) - 1)] if gateways else None
        if params["nat_gateways"] is None or target in waited_for:
            target = default_target(network.route_tables.get(own_name, {}))
        table = ensure_route_table(run, network, own_name, target, {own_name: subnet_id})
        private_tables.append(table or placeholder("rtb", index + 1))

    addresses = tier(network, network.addresses, "nat")
    if params["nat_gateways"] is not None:
        kept = {name_of(name, "nat", index) for index in range(len(gateways))}
        remove_nat_gateways(run, network, kept)
        addresses = tier(network, {key: one for key, one in network.addresses.items() if key in kept}, "nat")
    view = {
        "name": name,
        "vpc_id": vpc_id,
        "cidr": params["cidr"],
        "cidrs": cidrs_of(network.vpc or {"CidrBlock": params["cidr"]}),
        "internet_gateway_id": internet_gateway_id,
        "availability_zones": zones,
        "public_subnet_ids": list(subnets["public"].values()),
        "private_subnet_ids": list(subnets["private"].values()),
        "public_route_table_id": public_table or placeholder("rtb"),
        "private_route_table_ids": private_tables,
        "nat_gateway_ids": gateways,
        "address_ids": [address["AllocationId"] for address in addresses],
        "tags": run.after[name]["tags"],
    }
    return {"network": view, "pending": waited_for}


def ensure_nat_gateways(run: Run, network: Network, choice: str | None, subnet_ids: list[str]) -> list[str]:
    """The NAT gateways of a choice, not waited for; without a choice those that are there."""
    if choice is None:
        return [str(gateway["NatGatewayId"]) for gateway in tier(network, network.nat_gateways, "nat")]
    count = {"none": 0, "single": 1, "per_zone": len(subnet_ids)}[choice]
    names = [name_of(network.name, "nat", index) for index in range(count)]
    # One that is being deleted still holds the address that its successor takes.
    if network.deleting_nat_gateways and set(names) - set(network.nat_gateways) and not run.check_mode:
        wait_until_deleted(run.ec2, network.deleting_nat_gateways)
    gateways = []
    for index, own_name in enumerate(names):
        made = ensure_nat_gateway(run, network, own_name, subnet_ids[index])
        gateways.append(made or placeholder("nat", index))
    return gateways


def pending(network: Network) -> list[str]:
    """The NAT gateways to which EC2 makes no routes yet."""
    return [str(one["NatGatewayId"]) for one in network.nat_gateways.values() if one["State"] == "pending"]


def ensure_absent(run: Run, network: Network) -> dict[str, Any]:
    """Delete whatever of the network is left; return the module's members."""
    remove_network(run, network)
    return {"network": describe(Network(network.name)), "pending": []}


def ensure(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Find the network, bring it to its state, and return the module's members."""
    network = read_network(run.ec2, params["name"], params["lookup_tags"])
    return ensure_present(run, network, params) if params["state"] == "present" else ensure_absent(run, network)


def main() -> None:
    acl = {
        "tier": {"type": "str", "choices": list(TIERS), "required": True},
        "ports": {"type": "list", "elements": "str", "required": True},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "lookup_tags": {"type": "dict", "default": {}},
            "cidr": {"type": "str"},
            "availability_zone_count": {"type": "int", "default": 2},
            "availability_zones": {"type": "list", "elements": "str", "default": []},
            "public_subnet_cidrs": {"type": "list", "elements": "str"},
            "private_subnet_cidrs": {"type": "list", "elements": "str"},
            "nat_gateways": {"type": "str", "choices": ["none", "single", "per_zone"]},
            "wait": {"type": "bool", "default": True},
            "network_acls": {"type": "list", "elements": "dict", "options": acl},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        required_if=[("state", "present", ("cidr",))],
        supports_check_mode=True,
    )
    params = module.params
    run = Run(client(module, "ec2"), module.check_mode, params["tags"], params["purge_tags"], params["lookup_tags"])
    exit_with(module, lambda: run.result(**ensure(run, params)))


if __name__ == "__main__":
    main()
