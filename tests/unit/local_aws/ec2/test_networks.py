# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the local AWS knows of VPCs beyond MiniStack: ACLs, interfaces in use, endpoints, flow logs, prefix lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def ec2(control_plane: Any) -> Any:
    return control_plane.client("ec2")


@pytest.fixture
def vpc_id(ec2: Any) -> Iterator[str]:
    made = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    yield made
    for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [made]}])["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=made)


def create_subnet(ec2: Any, vpc_id: str) -> str:
    return str(ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.20.0.0/24")["Subnet"]["SubnetId"])


def test_a_subnet_moves_between_acls(ec2: Any, vpc_id: str) -> None:
    subnet_id = create_subnet(ec2, vpc_id)
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    [default] = ec2.describe_network_acls(Filters=filters)["NetworkAcls"]
    [association] = default["Associations"]
    assert association["SubnetId"] == subnet_id
    own = ec2.create_network_acl(VpcId=vpc_id)["NetworkAcl"]["NetworkAclId"]
    moved = ec2.replace_network_acl_association(AssociationId=association["NetworkAclAssociationId"], NetworkAclId=own)[
        "NewAssociationId"
    ]
    acls = {acl["NetworkAclId"]: acl for acl in ec2.describe_network_acls(Filters=filters)["NetworkAcls"]}
    assert [one["SubnetId"] for one in acls[own]["Associations"]] == [subnet_id]
    assert acls[default["NetworkAclId"]]["Associations"] == []
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_network_acl(NetworkAclId=own)
    ec2.replace_network_acl_association(AssociationId=moved, NetworkAclId=default["NetworkAclId"])
    with pytest.raises(ClientError, match=r"InvalidAssociationID\.NotFound"):
        ec2.replace_network_acl_association(AssociationId=moved, NetworkAclId=own)
    ec2.delete_network_acl(NetworkAclId=own)


def test_entries_of_an_acl_keep_their_ports(ec2: Any, vpc_id: str) -> None:
    own = ec2.create_network_acl(VpcId=vpc_id)["NetworkAcl"]["NetworkAclId"]
    entry = {
        "NetworkAclId": own,
        "RuleNumber": 7,
        "Protocol": "6",
        "RuleAction": "allow",
        "CidrBlock": "10.0.0.0/8",
        "Egress": False,
    }
    ec2.create_network_acl_entry(**entry, PortRange={"From": 1, "To": 2})
    with pytest.raises(ClientError, match="NetworkAclEntryAlreadyExists"):
        ec2.create_network_acl_entry(**entry, PortRange={"From": 1, "To": 2})
    ec2.replace_network_acl_entry(**entry, PortRange={"From": 3, "To": 4})
    [acl] = ec2.describe_network_acls(NetworkAclIds=[own])["NetworkAcls"]
    assert [one["PortRange"] for one in acl["Entries"]] == [{"From": 3, "To": 4}]
    ec2.delete_network_acl(NetworkAclId=own)


def test_an_interface_holds_its_subnet_and_group(ec2: Any, vpc_id: str) -> None:
    subnet_id = create_subnet(ec2, vpc_id)
    group_id = ec2.create_security_group(GroupName="held", Description="Held", VpcId=vpc_id)["GroupId"]
    made = ec2.create_network_interface(SubnetId=subnet_id, Groups=[group_id])["NetworkInterface"]
    for name, value in [("subnet-id", subnet_id), ("group-id", group_id), ("vpc-id", vpc_id)]:
        found = ec2.describe_network_interfaces(Filters=[{"Name": name, "Values": [value]}])["NetworkInterfaces"]
        assert [one["NetworkInterfaceId"] for one in found] == [made["NetworkInterfaceId"]]
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_subnet(SubnetId=subnet_id)
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=group_id)
    ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])
    ec2.delete_security_group(GroupId=group_id)


def test_private_names_of_a_service_are_given_once(ec2: Any, vpc_id: str) -> None:
    request = {
        "VpcId": vpc_id,
        "ServiceName": "com.amazonaws.eu-west-1.sqs",
        "VpcEndpointType": "Interface",
        "PrivateDnsEnabled": True,
        "SecurityGroupIds": ["sg-1"],
    }
    made = ec2.create_vpc_endpoint(**request)["VpcEndpoint"]
    assert ([group["GroupId"] for group in made["Groups"]], made["PrivateDnsEnabled"]) == (["sg-1"], True)
    with pytest.raises(ClientError, match="conflicting DNS domain"):
        ec2.create_vpc_endpoint(**request)
    identifier = made["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=identifier, AddSecurityGroupIds=["sg-2"], RemoveSecurityGroupIds=["sg-1"])
    [changed] = ec2.describe_vpc_endpoints(VpcEndpointIds=[identifier])["VpcEndpoints"]
    assert [group["GroupId"] for group in changed["Groups"]] == ["sg-2"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[identifier])


def test_flow_logs_keep_what_they_were_created_with(ec2: Any, vpc_id: str) -> None:
    tags = [{"Key": "Name", "Value": "kept"}]
    request = {"LogGroupName": "/kept", "DeliverLogsPermissionArn": "arn:kept", "MaxAggregationInterval": 60}
    specification = [{"ResourceType": "vpc-flow-log", "Tags": tags}]
    [identifier] = ec2.create_flow_logs(
        ResourceIds=[vpc_id], ResourceType="VPC", TrafficType="ALL", TagSpecifications=specification, **request
    )["FlowLogIds"]
    [found] = ec2.describe_flow_logs(Filter=[{"Name": "tag:Name", "Values": ["kept"]}])["FlowLogs"]
    assert {name: found[name] for name in request} == request
    assert (found["FlowLogId"], found["Tags"]) == (identifier, tags)
    ec2.delete_flow_logs(FlowLogIds=[identifier])


def test_rules_to_prefix_lists(ec2: Any, vpc_id: str) -> None:
    group_id = ec2.create_security_group(GroupName="listed", Description="Listed", VpcId=vpc_id)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[rule])
    [group] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert [one["PrefixListIds"] for one in group["IpPermissions"]] == [[{"PrefixListId": "pl-1"}]]
    ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=[rule])
    [group] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert group["IpPermissions"] == []
    ec2.delete_security_group(GroupId=group_id)


def test_addresses_are_found_by_tag(ec2: Any) -> None:
    tags = [{"Key": "Name", "Value": "found"}]
    specification = [{"ResourceType": "elastic-ip", "Tags": tags}]
    own = ec2.allocate_address(Domain="vpc", TagSpecifications=specification)["AllocationId"]
    other = ec2.allocate_address(Domain="vpc")["AllocationId"]
    found = ec2.describe_addresses(Filters=[{"Name": "tag:Name", "Values": ["found"]}])["Addresses"]
    assert [one["AllocationId"] for one in found] == [own]
    assert ec2.describe_addresses(Filters=[{"Name": "tag:Name", "Values": ["none"]}])["Addresses"] == []
    for each in (own, other):
        ec2.release_address(AllocationId=each)


def test_subnets_of_a_vpc_do_not_overlap(ec2: Any, vpc_id: str) -> None:
    create_subnet(ec2, vpc_id)
    with pytest.raises(ClientError, match=r"InvalidSubnet\.Conflict"):
        ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.20.0.128/25")
    ec2.delete_subnet(SubnetId=ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.20.1.0/24")["Subnet"]["SubnetId"])


def test_a_nat_gateway_tells_its_address(ec2: Any, vpc_id: str) -> None:
    address = ec2.allocate_address(Domain="vpc")
    subnet_id = create_subnet(ec2, vpc_id)
    made = ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=address["AllocationId"])["NatGateway"]
    [found] = ec2.describe_nat_gateways(NatGatewayIds=[made["NatGatewayId"]])["NatGateways"]
    [told] = found["NatGatewayAddresses"]
    assert (told["AllocationId"], told["PublicIp"]) == (address["AllocationId"], address["PublicIp"])
    ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
    ec2.release_address(AllocationId=address["AllocationId"])


def test_an_endpoint_that_is_not_there_is_told_of(ec2: Any) -> None:
    [told] = ec2.delete_vpc_endpoints(VpcEndpointIds=["vpce-00000000000000000"])["Unsuccessful"]
    assert (told["ResourceId"], told["Error"]["Code"]) == ("vpce-00000000000000000", "InvalidVpcEndpoint.NotFound")
