# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Taking a network down, in the order in which AWS allows it, from any state that an earlier attempt left."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.progress import say
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import Network
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network_acls import remove_network_acls
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import (
    Run,
    delete_with_retries,
    tags_of,
    wait_until_unused,
)

# A NAT gateway takes one to two minutes to come up or to go.
NAT_WAIT = {"Delay": 5, "MaxAttempts": 120}


@call("wait for the NAT gateways to become available")
def wait_for_nat_gateways(run: Run, gateway_ids: list[str]) -> None:
    """Return when routes can lead to the gateways; nothing to wait for in check mode."""
    if gateway_ids and not run.check_mode:
        say(f"NAT gateways {', '.join(gateway_ids)} are not available yet")
        run.ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=gateway_ids, WaiterConfig=NAT_WAIT)


@call("delete a NAT gateway", missing=("NatGatewayNotFound",))
def delete_nat_gateway(ec2: Any, gateway_id: str) -> None:
    ec2.delete_nat_gateway(NatGatewayId=gateway_id)


@call("wait for the deletion of the NAT gateways")
def wait_until_deleted(ec2: Any, gateway_ids: list[str]) -> None:
    say(f"NAT gateways {', '.join(gateway_ids)} are being deleted")
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=gateway_ids, WaiterConfig=NAT_WAIT)


@call("release an elastic address", missing=("InvalidAllocationID.NotFound",))
def release_address(ec2: Any, allocation_id: str) -> None:
    delete_with_retries(lambda: ec2.release_address(AllocationId=allocation_id))


@call("delete a subnet (is something of another owner still in it?)", missing=("InvalidSubnetID.NotFound",))
def delete_subnet(ec2: Any, subnet_id: str) -> None:
    delete_with_retries(lambda: ec2.delete_subnet(SubnetId=subnet_id))


@call("delete a route table", missing=("InvalidRouteTableID.NotFound",))
def delete_route_table(ec2: Any, table_id: str) -> None:
    delete_with_retries(lambda: ec2.delete_route_table(RouteTableId=table_id))


@call("detach the internet gateway", missing=("Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"))
def detach_internet_gateway(ec2: Any, gateway_id: str, vpc_id: str) -> None:
    delete_with_retries(lambda: ec2.detach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id))


@call("delete the internet gateway", missing=("InvalidInternetGatewayID.NotFound",))
def delete_internet_gateway(ec2: Any, gateway_id: str) -> None:
    ec2.delete_internet_gateway(InternetGatewayId=gateway_id)


@call("delete the VPC (is something of another owner still in it?)", missing=("InvalidVpcID.NotFound",))
def delete_vpc(ec2: Any, vpc_id: str) -> None:
    delete_with_retries(lambda: ec2.delete_vpc(VpcId=vpc_id))


def remove_nat_gateways(run: Run, network: Network, kept: Set[str]) -> None:
    """Delete the network's NAT gateways that are not in ``kept``, wait, and release their addresses."""
    prefix = f"{network.name}-nat-"
    surplus = {
        name: gateway for name, gateway in network.nat_gateways.items() if name.startswith(prefix) and name not in kept
    }
    addresses = {name: address for name, address in network.addresses.items() if name not in kept}
    for name, gateway in surplus.items():
        run.record(name, {"tags": tags_of(gateway)}, {})
    for name, address in addresses.items():
        run.record(f"{name} address", {"tags": tags_of(address)}, {})
    if run.check_mode:
        return
    for gateway in surplus.values():
        delete_nat_gateway(run.ec2, gateway["NatGatewayId"])
    going = [*network.deleting_nat_gateways, *(gateway["NatGatewayId"] for gateway in surplus.values())]
    # Their addresses and subnets are theirs until they are gone.
    if going and (surplus or addresses):
        wait_until_deleted(run.ec2, going)
    for address in addresses.values():
        release_address(run.ec2, address["AllocationId"])


def remove_network(run: Run, network: Network) -> None:
    """Delete every part that carries the network's names, then the VPC."""
    remove_nat_gateways(run, network, set())
    own = f"{network.name}-"
    subnets = {name: subnet for name, subnet in network.subnets.items() if name.startswith(own)}
    if not run.check_mode:
        ids = [str(subnet["SubnetId"]) for subnet in subnets.values()]
        wait_until_unused(run.ec2, "subnet-id", ids, f"the subnets of {network.name}")
    for name, subnet in subnets.items():
        run.record(name, {"cidr": subnet["CidrBlock"], "tags": tags_of(subnet)}, {})
        if not run.check_mode:
            delete_subnet(run.ec2, subnet["SubnetId"])
    remove_network_acls(run, network)
    for name, table in network.route_tables.items():
        if name.startswith(own):
            run.record(f"{name} route table", {"tags": tags_of(table)}, {})
            if not run.check_mode:
                delete_route_table(run.ec2, table["RouteTableId"])
    gateway = network.internet_gateway
    if gateway:
        run.record(f"{network.name} internet gateway", {"tags": tags_of(gateway)}, {})
        if not run.check_mode:
            for attachment in gateway.get("Attachments", []):
                detach_internet_gateway(run.ec2, gateway["InternetGatewayId"], attachment["VpcId"])
            delete_internet_gateway(run.ec2, gateway["InternetGatewayId"])
    if network.vpc:
        run.record(network.name, {"cidr": network.vpc["CidrBlock"], "tags": tags_of(network.vpc)}, {})
        if not run.check_mode:
            delete_vpc(run.ec2, network.vpc["VpcId"])
