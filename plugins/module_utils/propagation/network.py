# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2: an identifier that a create has answered may be unknown to the next calls, whichever they are."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.model import Create, Late, Look

EC2 = "https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html"


def _kind(operation: str, names: str, prefix: str, codes: tuple[str, ...], look: tuple[str, str]) -> Create:
    """A kind of resource with identifiers of its own. ``look``: the operation that describes it, and its parameter."""
    # Associations, whose identifiers change, and routes, rules and entries, which have none, have other codes: who
    # changes these must read them again.
    seen = Look("ec2", look[0], ((look[1], "[thing]"),))
    return Create("ec2", operation, names, (Late("ec2", EC2, codes),), seen, rf"\b{prefix}-[0-9a-f]{{8,17}}\b")


CREATES = (
    _kind("CreateVpc", "Vpc.VpcId", "vpc", ("InvalidVpcID.NotFound",), ("DescribeVpcs", "VpcIds")),
    _kind("CreateSubnet", "Subnet.SubnetId", "subnet", ("InvalidSubnetID.NotFound",), ("DescribeSubnets", "SubnetIds")),
    _kind(
        "CreateInternetGateway",
        "InternetGateway.InternetGatewayId",
        "igw",
        ("InvalidInternetGatewayID.NotFound",),
        ("DescribeInternetGateways", "InternetGatewayIds"),
    ),
    _kind(
        "CreateNatGateway",
        "NatGateway.NatGatewayId",
        "nat",
        ("InvalidNatGatewayID.NotFound", "NatGatewayNotFound"),
        ("DescribeNatGateways", "NatGatewayIds"),
    ),
    _kind(
        "AllocateAddress",
        "AllocationId",
        "eipalloc",
        ("InvalidAllocationID.NotFound",),
        ("DescribeAddresses", "AllocationIds"),
    ),
    _kind(
        "CreateRouteTable",
        "RouteTable.RouteTableId",
        "rtb",
        ("InvalidRouteTableID.NotFound",),
        ("DescribeRouteTables", "RouteTableIds"),
    ),
    _kind(
        "CreateNetworkAcl",
        "NetworkAcl.NetworkAclId",
        "acl",
        ("InvalidNetworkAclID.NotFound",),
        ("DescribeNetworkAcls", "NetworkAclIds"),
    ),
    _kind(
        "CreateSecurityGroup",
        "GroupId",
        "sg",
        ("InvalidGroup.NotFound", "InvalidGroupId.NotFound"),
        ("DescribeSecurityGroups", "GroupIds"),
    ),
    _kind(
        "CreateVpcEndpoint",
        "VpcEndpoint.VpcEndpointId",
        "vpce",
        ("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound"),
        ("DescribeVpcEndpoints", "VpcEndpointIds"),
    ),
    _kind(
        "CreateFlowLogs",
        "FlowLogIds",
        "fl",
        ("InvalidFlowLogId.NotFound",),
        ("DescribeFlowLogs", "FlowLogIds"),
    ),
)
