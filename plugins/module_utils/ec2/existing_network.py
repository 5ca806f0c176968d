# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A VPC and subnets that somebody else manages: read by their ids, and checked before anything is put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import (
    cidrs_of,
    describe_route_tables,
    describe_subnets,
    describe_vpcs,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import tags_of

# Load balancers and databases refuse fewer.
FEWEST_ZONES = 2


def read_given_network(
    ec2: Any, name: str, vpc_id: str, public_ids: Sequence[str], private_ids: Sequence[str]
) -> dict[str, Any]:
    """The given VPC in the shape of ``ec2_network.describe``; AnsibleAWSError names what is not as it must be."""
    vpcs = describe_vpcs(ec2, {"vpc-id": vpc_id})
    if not vpcs:
        raise AnsibleAWSError(message=f"VPC {vpc_id} does not exist in this account and region")
    subnets = {subnet["SubnetId"]: subnet for subnet in describe_subnets(ec2, vpc_id)}
    zones = {
        kind: check_subnets(kind, vpc_id, ids, subnets)
        for kind, ids in (("public", public_ids), ("private", private_ids))
        if ids or kind == "private"
    }
    return {
        "name": name,
        "vpc_id": vpc_id,
        "cidr": vpcs[0]["CidrBlock"],
        "cidrs": cidrs_of(vpcs[0]),
        "internet_gateway_id": None,
        "availability_zones": zones["private"],
        "public_subnet_ids": list(public_ids),
        "private_subnet_ids": list(private_ids),
        "public_route_table_id": None,
        "private_route_table_ids": route_tables_of(private_ids, describe_route_tables(ec2, vpc_id)),
        "nat_gateway_ids": [],
        "address_ids": [],
        "tags": tags_of(vpcs[0]),
    }


def check_subnets(kind: str, vpc_id: str, ids: Sequence[str], subnets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The zones of the subnets ``ids``, in their order; ``subnets`` are those of the VPC by id."""
    unknown = [subnet_id for subnet_id in ids if subnet_id not in subnets]
    if unknown:
        raise AnsibleAWSError(message=f"VPC {vpc_id} has no {kind} subnets {', '.join(unknown)}")
    zones = [str(subnets[subnet_id]["AvailabilityZone"]) for subnet_id in ids]
    if len(set(zones)) < FEWEST_ZONES:
        held = ", ".join(sorted(set(zones))) or "none"
        raise AnsibleAWSError(
            message=f"The {kind} subnets must be in {FEWEST_ZONES} availability zones or more, not: {held}"
        )
    return zones


def route_tables_of(subnet_ids: Sequence[str], tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """The route tables that serve the subnets, each once: a subnet without one of its own uses the VPC's main one."""
    served: dict[str, str] = {}
    main = ""
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("Main"):
                main = table["RouteTableId"]
            elif association.get("SubnetId"):
                served[association["SubnetId"]] = table["RouteTableId"]
    return list(dict.fromkeys(served.get(subnet_id, main) for subnet_id in subnet_ids))
