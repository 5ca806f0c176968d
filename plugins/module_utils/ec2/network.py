# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A VPC with its subnets, gateways and route tables: how they are named, read from AWS and shown to playbooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import by_name, tags_of

DEFAULT_ROUTE = "0.0.0.0/0"


@dataclass
class Network:
    """The network ``name`` as AWS holds it: raw answers of the API by Name tag; ``vpc`` is None when absent.

    ``deleting_nat_gateways`` are ids of NAT gateways that are on their way out and hold their addresses until then;
    ``network_acls`` are all of the VPC, as AWS lists them.
    """

    name: str
    vpc: dict[str, Any] | None = None
    internet_gateway: dict[str, Any] | None = None
    subnets: dict[str, dict[str, Any]] = field(default_factory=dict)
    nat_gateways: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleting_nat_gateways: list[str] = field(default_factory=list)
    addresses: dict[str, dict[str, Any]] = field(default_factory=dict)
    route_tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    network_acls: list[dict[str, Any]] = field(default_factory=list)

    def exists(self) -> bool:
        """Whether anything of it is there."""
        return bool(self.vpc or self.internet_gateway or self.addresses)


def name_of(network: str, tier: str, index: int) -> str:
    """Name tag of the ``index``-th (from 0) resource of a tier: ``staging-private-1``."""
    return f"{network}-{tier}-{index + 1}"


@call("describe VPCs")
def describe_vpcs(ec2: Any, filters: Mapping[str, str]) -> list[dict[str, Any]]:
    return list(_pages(ec2, "describe_vpcs", filters)["Vpcs"])


@call("describe internet gateways")
def describe_internet_gateways(ec2: Any, filters: Mapping[str, str]) -> list[dict[str, Any]]:
    return list(_pages(ec2, "describe_internet_gateways", filters)["InternetGateways"])


@call("describe subnets")
def describe_subnets(ec2: Any, vpc_id: str) -> list[dict[str, Any]]:
    return list(_pages(ec2, "describe_subnets", {"vpc-id": vpc_id})["Subnets"])


@call("describe route tables")
def describe_route_tables(ec2: Any, vpc_id: str) -> list[dict[str, Any]]:
    return list(_pages(ec2, "describe_route_tables", {"vpc-id": vpc_id})["RouteTables"])


@call("describe NAT gateways")
def describe_nat_gateways(ec2: Any, vpc_id: str) -> list[dict[str, Any]]:
    return list(_pages(ec2, "describe_nat_gateways", {"vpc-id": vpc_id})["NatGateways"])


@call("describe network ACLs")
def describe_network_acls(ec2: Any, vpc_id: str) -> list[dict[str, Any]]:
    return list(_pages(ec2, "describe_network_acls", {"vpc-id": vpc_id})["NetworkAcls"])


@call("describe elastic addresses")
def describe_addresses(ec2: Any, filters: Mapping[str, str]) -> list[dict[str, Any]]:
    return list(ec2.describe_addresses(Filters=ansible_dict_to_boto3_filter_list(dict(filters)))["Addresses"])


@call("describe availability zones")
def describe_availability_zones(ec2: Any) -> list[str]:
    """Names of the region's ordinary zones (no Local or Wavelength zones), sorted."""
    zones = ec2.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])["AvailabilityZones"]
    return sorted(
        zone["ZoneName"] for zone in zones if zone.get("ZoneType", "availability-zone") == "availability-zone"
    )


@call("describe security groups")
def describe_security_groups(ec2: Any, vpc_id: str) -> list[dict[str, Any]]:
    return list(_pages(ec2, "describe_security_groups", {"vpc-id": vpc_id})["SecurityGroups"])


def _pages(ec2: Any, operation: str, filters: Mapping[str, str]) -> dict[str, Any]:
    paginator = ec2.get_paginator(operation)
    return dict(paginator.paginate(Filters=ansible_dict_to_boto3_filter_list(dict(filters))).build_full_result())


def read_network(ec2: Any, name: str, lookup_tags: Mapping[str, Any]) -> Network:
    """Find the network by its Name tag and ``lookup_tags``; AnsibleAWSError when two VPCs match."""
    filters = {"tag:Name": name, **{f"tag:{key}": str(value) for key, value in lookup_tags.items()}}
    network = Network(name, vpc=_only(describe_vpcs(ec2, filters), f"VPCs are named {name}", "VpcId"))
    owned = {key: value for key, value in filters.items() if key != "tag:Name"}
    addresses = by_name(describe_addresses(ec2, owned), "elastic addresses", "AllocationId")
    network.addresses = {key: address for key, address in addresses.items() if key.startswith(f"{name}-nat-")}
    if network.vpc is None:
        network.internet_gateway = _unattached(describe_internet_gateways(ec2, filters))
        return network
    vpc_id = network.vpc["VpcId"]
    attached = describe_internet_gateways(ec2, {"attachment.vpc-id": vpc_id})
    network.internet_gateway = attached[0] if attached else _unattached(describe_internet_gateways(ec2, filters))
    network.subnets = by_name(describe_subnets(ec2, vpc_id), "subnets", "SubnetId")
    gateways = describe_nat_gateways(ec2, vpc_id)
    # A deleted or failed one stays listed for an hour.
    living = [gateway for gateway in gateways if gateway["State"] in ("pending", "available")]
    network.nat_gateways = by_name(living, "NAT gateways", "NatGatewayId")
    network.deleting_nat_gateways = [one["NatGatewayId"] for one in gateways if one["State"] == "deleting"]
    network.route_tables = by_name(describe_route_tables(ec2, vpc_id), "route tables", "RouteTableId")
    network.network_acls = describe_network_acls(ec2, vpc_id)
    return network


def _only(found: list[dict[str, Any]], what: str, identifier: str) -> dict[str, Any] | None:
    if len(found) > 1:
        ids = ", ".join(sorted(one[identifier] for one in found))
        raise AnsibleAWSError(message=f"{len(found)} {what} ({ids}): delete or rename all but one")
    return found[0] if found else None


def _unattached(gateways: list[dict[str, Any]]) -> dict[str, Any] | None:
    """A gateway that an interrupted run created and did not attach."""
    return next((gateway for gateway in gateways if not gateway.get("Attachments")), None)


def cidrs_of(vpc: Mapping[str, Any]) -> list[str]:
    """All IPv4 ranges of a VPC, its first one first."""
    further = [
        one["CidrBlock"]
        for one in vpc.get("CidrBlockAssociationSet", [])
        if one.get("CidrBlockState", {}).get("State", "associated") == "associated"
    ]
    return list(dict.fromkeys([vpc["CidrBlock"], *further]))


def tier(network: Network, resources: Mapping[str, Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """The resources named ``<network>-<kind>-<n>``, in the order of n."""
    prefix = f"{network.name}-{kind}-"
    numbers = [name[len(prefix) :] for name in resources if name.startswith(prefix)]
    return [resources[f"{prefix}{number}"] for number in sorted((n for n in numbers if n.isdigit()), key=int)]


def describe(network: Network) -> dict[str, Any]:
    """The network as modules return it; ids in the order of the zones."""
    public = tier(network, network.subnets, "public")
    private = tier(network, network.subnets, "private")
    main_table = network.route_tables.get(f"{network.name}-public", {})
    return {
        "name": network.name,
        "vpc_id": network.vpc["VpcId"] if network.vpc else None,
        "cidr": network.vpc["CidrBlock"] if network.vpc else None,
        "cidrs": cidrs_of(network.vpc) if network.vpc else [],
        "internet_gateway_id": (network.internet_gateway or {}).get("InternetGatewayId"),
        "availability_zones": [subnet["AvailabilityZone"] for subnet in private],
        "public_subnet_ids": [subnet["SubnetId"] for subnet in public],
        "private_subnet_ids": [subnet["SubnetId"] for subnet in private],
        "public_route_table_id": main_table.get("RouteTableId"),
        "private_route_table_ids": [table["RouteTableId"] for table in tier(network, network.route_tables, "private")],
        "nat_gateway_ids": [gateway["NatGatewayId"] for gateway in tier(network, network.nat_gateways, "nat")],
        "address_ids": [address["AllocationId"] for address in tier(network, network.addresses, "nat")],
        "tags": tags_of(network.vpc) if network.vpc else {},
    }
