# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The changes that bring the parts of a network (VPC, gateways, subnets, route tables) to the wanted state.

Every ensure function simulates in check mode, records what it did in the run, and returns the id
(a placeholder for what check mode did not create).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import (
    DEFAULT_ROUTE,
    Network,
    describe_addresses,
    describe_internet_gateways,
    describe_route_tables,
    describe_subnets,
    describe_vpcs,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import (
    Run,
    create_or_replace,
    placeholder,
    settle,
    tags_of,
)


def own_filters(run: Run, name: str) -> dict[str, str]:
    """EC2 filters for what this network creates under ``name``."""
    return {"tag:Name": name, **{f"tag:{key}": str(value) for key, value in run.lookup_tags.items()}}


@call("create the VPC")
def create_vpc(run: Run, name: str, cidr: str) -> dict[str, Any]:
    def find() -> dict[str, Any] | None:
        return next(iter(describe_vpcs(run.ec2, own_filters(run, name))), None)

    def create() -> dict[str, Any]:
        return dict(run.ec2.create_vpc(CidrBlock=cidr, TagSpecifications=run.tag_specification("vpc", name))["Vpc"])

    vpc = create_once(run.ec2, create, find)
    run.ec2.get_waiter("vpc_available").wait(VpcIds=[vpc["VpcId"]], WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    return vpc


@call("read the DNS settings of the VPC")
def dns_settings(ec2: Any, vpc_id: str) -> dict[str, bool]:
    answers = {
        key: ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=attribute)
        for key, attribute in (("EnableDnsSupport", "enableDnsSupport"), ("EnableDnsHostnames", "enableDnsHostnames"))
    }
    return {key: bool(answer[key]["Value"]) for key, answer in answers.items()}


@call("change a DNS setting of the VPC")
def enable_dns_setting(ec2: Any, vpc_id: str, key: str) -> None:
    ec2.modify_vpc_attribute(VpcId=vpc_id, **{key: {"Value": True}})


@call("create the internet gateway")
def create_internet_gateway(run: Run, name: str) -> dict[str, Any]:
    specification = run.tag_specification("internet-gateway", name)

    def find() -> dict[str, Any] | None:
        return next(iter(describe_internet_gateways(run.ec2, own_filters(run, name))), None)

    return create_once(
        run.ec2,
        lambda: dict(run.ec2.create_internet_gateway(TagSpecifications=specification)["InternetGateway"]),
        find,
    )


# Calls below that AWS refuses when repeated after a lost reply: the refusal says that the first attempt was done.
@call("attach the internet gateway", missing=("Resource.AlreadyAssociated",))
def attach_internet_gateway(ec2: Any, gateway_id: str, vpc_id: str) -> None:
    ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)


@call("create a subnet")
def create_subnet(run: Run, name: str, vpc_id: str, cidr: str, zone: str) -> dict[str, Any]:
    members = {"VpcId": vpc_id, "CidrBlock": cidr, "AvailabilityZone": zone}

    def find() -> dict[str, Any] | None:
        return next((one for one in describe_subnets(run.ec2, vpc_id) if tags_of(one).get("Name") == name), None)

    subnet = create_once(
        run.ec2,
        lambda: dict(
            run.ec2.create_subnet(**members, TagSpecifications=run.tag_specification("subnet", name))["Subnet"]
        ),
        find,
        exists=("InvalidSubnet.Conflict",),
    )
    waiter = run.ec2.get_waiter("subnet_available")
    waiter.wait(SubnetIds=[subnet["SubnetId"]], WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    return subnet


@call("stop the automatic public addresses of a subnet")
def disable_public_addresses(ec2: Any, subnet_id: str) -> None:
    ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": False})


@call("allocate an elastic address")
def allocate_address(run: Run, name: str) -> dict[str, Any]:
    specification = run.tag_specification("elastic-ip", name)

    def find() -> dict[str, Any] | None:
        found = describe_addresses(run.ec2, own_filters(run, name))
        return next((one for one in found if tags_of(one).get("Name") == name), None)

    return create_once(
        run.ec2, lambda: dict(run.ec2.allocate_address(Domain="vpc", TagSpecifications=specification)), find
    )


@call("create a NAT gateway")
def create_nat_gateway(run: Run, name: str, subnet_id: str, allocation_id: str) -> dict[str, Any]:
    specification = run.tag_specification("natgateway", name)
    made = run.ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=allocation_id, TagSpecifications=specification)
    return dict(made["NatGateway"])


@call("create a route table")
def create_route_table(run: Run, name: str, vpc_id: str) -> dict[str, Any]:
    specification = run.tag_specification("route-table", name)
    return dict(run.ec2.create_route_table(VpcId=vpc_id, TagSpecifications=specification)["RouteTable"])


@call("delete the default route", missing=("InvalidRoute.NotFound",))
def delete_default_route(ec2: Any, table_id: str) -> None:
    ec2.delete_route(RouteTableId=table_id, DestinationCidrBlock=DEFAULT_ROUTE)


@call("change the default route")
def write_default_route(ec2: Any, table_id: str, current: str | None, target: str) -> None:
    """Point 0.0.0.0/0 of a table, which leads to ``current``, to an internet gateway (igw-) or NAT gateway (nat-)."""
    key = "NatGatewayId" if target.startswith("nat-") else "GatewayId"
    members = {"RouteTableId": table_id, "DestinationCidrBlock": DEFAULT_ROUTE, key: target}
    create_or_replace(
        lambda: ec2.create_route(**members),
        lambda: ec2.replace_route(**members),
        there=bool(current),
        exists=("RouteAlreadyExists",),
        # AWS answers the second one.
        missing=("InvalidRoute.NotFound", "InvalidParameterValue"),
    )


# Both say that the list was late, or that a reply was lost: who calls this looks again.
@call(
    "associate a subnet with its route table", missing=("InvalidAssociationID.NotFound", "Resource.AlreadyAssociated")
)
def associate_route_table(ec2: Any, table_id: str, subnet_id: str, association_id: str | None) -> None:
    """``association_id`` is the subnet's explicit association with another table, if it has one."""
    if association_id:
        ec2.replace_route_table_association(AssociationId=association_id, RouteTableId=table_id)
    else:
        ec2.associate_route_table(RouteTableId=table_id, SubnetId=subnet_id)


def serve_subnets(ec2: Any, vpc_id: str, table_id: str, name: str, subnet_ids: Sequence[str]) -> None:
    """Associate subnets with the route table of a name, until EC2 lists all of them there."""

    def unserved() -> list[tuple[str, str | None]]:
        """(subnet id, id of its association with another table if it has one)."""
        held = {
            association["SubnetId"]: (table["RouteTableId"], association["RouteTableAssociationId"])
            for table in describe_route_tables(ec2, vpc_id)
            for association in table.get("Associations", [])
            if association.get("SubnetId")
        }
        places = [(subnet_id, *held.get(subnet_id, ("", None))) for subnet_id in subnet_ids]
        return [(subnet_id, association_id) for subnet_id, current, association_id in places if current != table_id]

    settle(unserved, lambda stray: associate_route_table(ec2, table_id, *stray), f"The subnets of route table {name}")


def ensure_vpc(run: Run, network: Network, cidr: str) -> str:
    """The VPC, with DNS names on (private endpoints and Service Connect need them); its range cannot change."""
    name, vpc = network.name, network.vpc
    if vpc and vpc["CidrBlock"] != cidr:
        held = f"{vpc['VpcId']} has {vpc['CidrBlock']}, not {cidr}"
        raise AnsibleAWSError(message=f"The address range of VPC {name} cannot be changed ({held}): delete it first")
    before: dict[str, Any] = {}
    after: dict[str, Any] = {"cidr": cidr, "EnableDnsSupport": True, "EnableDnsHostnames": True}
    if vpc:
        settings = dns_settings(run.ec2, vpc["VpcId"])
        before = {"cidr": vpc["CidrBlock"], **settings, "tags": tags_of(vpc)}
        after["tags"] = run.ensure_tags(vpc["VpcId"], name, tags_of(vpc))
        missing = [key for key, value in settings.items() if not value]
    else:
        after["tags"] = run.new_tags(name)
        missing = ["EnableDnsHostnames"]
        if not run.check_mode:
            vpc = network.vpc = create_vpc(run, name, cidr)
    if vpc and not run.check_mode:
        for key in missing:
            enable_dns_setting(run.ec2, vpc["VpcId"], key)
    run.record(name, before, after)
    return str(vpc["VpcId"]) if vpc else placeholder("vpc")


def ensure_internet_gateway(run: Run, network: Network, vpc_id: str) -> str:
    """The VPC's internet gateway, attached; one that an interrupted run left unattached is taken."""
    name, gateway = network.name, network.internet_gateway
    before: dict[str, Any] = {}
    tags = run.new_tags(name)
    if gateway:
        before = {"attached": bool(gateway.get("Attachments")), "tags": tags_of(gateway)}
        tags = run.ensure_tags(gateway["InternetGatewayId"], name, tags_of(gateway))
    elif not run.check_mode:
        gateway = create_internet_gateway(run, name)
    if gateway and not gateway.get("Attachments") and not run.check_mode:
        attach_internet_gateway(run.ec2, gateway["InternetGatewayId"], vpc_id)
    run.record(f"{name} internet gateway", before, {"attached": True, "tags": tags})
    return str(gateway["InternetGatewayId"]) if gateway else placeholder("igw")


def ensure_subnet(run: Run, network: Network, name: str, vpc_id: str, place: tuple[str, str]) -> str:
    """A subnet at ``place`` (range, zone) that gives no public addresses; its place cannot change."""
    cidr, zone = place
    subnet = network.subnets.get(name)
    wanted = {"cidr": cidr, "availability_zone": zone}
    before: dict[str, Any] = {}
    tags = run.new_tags(name)
    if subnet:
        held = {"cidr": subnet["CidrBlock"], "availability_zone": subnet["AvailabilityZone"]}
        if held != wanted:
            detail = f"{subnet['SubnetId']} has {held}, not {wanted}"
            raise AnsibleAWSError(message=f"The range and zone of subnet {name} cannot be changed ({detail})")
        before = {**held, "map_public_ip": bool(subnet.get("MapPublicIpOnLaunch")), "tags": tags_of(subnet)}
        tags = run.ensure_tags(subnet["SubnetId"], name, tags_of(subnet))
    elif not run.check_mode:
        subnet = create_subnet(run, name, vpc_id, cidr, zone)
    if subnet and subnet.get("MapPublicIpOnLaunch") and not run.check_mode:
        disable_public_addresses(run.ec2, subnet["SubnetId"])
    run.record(name, before, {**wanted, "map_public_ip": False, "tags": tags})
    return str(subnet["SubnetId"]) if subnet else ""


def ensure_nat_gateway(run: Run, network: Network, name: str, subnet_id: str) -> str:
    """A NAT gateway with an elastic address of the same name; not waited for."""
    gateway, address = network.nat_gateways.get(name), network.addresses.get(name)
    before: dict[str, Any] = {}
    tags = run.new_tags(name)
    if gateway:
        before = {"tags": tags_of(gateway)}
        tags = run.ensure_tags(gateway["NatGatewayId"], name, tags_of(gateway))
    elif not run.check_mode:
        address = network.addresses[name] = address or allocate_address(run, name)
        gateway = create_nat_gateway(run, name, subnet_id, address["AllocationId"])
        network.nat_gateways[name] = gateway
    run.record(name, before, {"tags": tags})
    return str(gateway["NatGatewayId"]) if gateway else ""


def ensure_route_table(run: Run, network: Network, name: str, target: str | None, subnets: Mapping[str, str]) -> str:
    """A route table whose default route leads to ``target`` and that serves ``subnets`` (name -> id) of the VPC.

    Other routes (peering, gateway endpoints) and other associations are left alone.
    """
    table = network.route_tables.get(name)
    before: dict[str, Any] = {}
    tags = run.new_tags(name)
    current: str | None = None
    served: set[str] = set()
    if table:
        current = default_target(table)
        served = {one["SubnetId"] for one in table.get("Associations", []) if one.get("SubnetId") in subnets.values()}
        names = sorted(key for key, subnet_id in subnets.items() if subnet_id in served)
        before = {"default_route": current, "subnets": names, "tags": tags_of(table)}
        tags = run.ensure_tags(table["RouteTableId"], name, tags_of(table))
    elif not run.check_mode:
        table = create_route_table(run, name, vpc_id_of(network))
    if table and not run.check_mode:
        if target is None and current:
            delete_default_route(run.ec2, table["RouteTableId"])
        elif target and current != target:
            write_default_route(run.ec2, table["RouteTableId"], current, target)
        if set(subnets.values()) - served:
            serve_subnets(run.ec2, vpc_id_of(network), table["RouteTableId"], name, list(subnets.values()))
    run.record(f"{name} route table", before, {"default_route": target, "subnets": sorted(subnets), "tags": tags})
    return str(table["RouteTableId"]) if table else ""


def vpc_id_of(network: Network) -> str:
    """The VPC's id; that of a VPC which this run created is in the network too."""
    if network.vpc is None:
        raise AnsibleAWSError(message=f"VPC {network.name} does not exist")
    return str(network.vpc["VpcId"])


def default_target(table: Mapping[str, Any]) -> str | None:
    """Where 0.0.0.0/0 of a table leads: the id of whatever kind of target it has."""
    for route in table.get("Routes", []):
        if route.get("DestinationCidrBlock") == DEFAULT_ROUTE:
            kinds = ("NatGatewayId", "GatewayId", "TransitGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId")
            return next((str(route[kind]) for kind in kinds if route.get(kind)), "other")
    return None
