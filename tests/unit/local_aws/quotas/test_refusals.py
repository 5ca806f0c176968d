# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What takes the last of a quota is done, and what would take more is refused in AWS's words."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sm2a_local_aws.quotas import usage

Say = Callable[..., None]
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
HTTP = {"Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-1", "TargetType": "ip"}
DATABASE = {"Engine": "postgres", "DBInstanceClass": "db.t4g.medium", "MasterUsername": "sm2a"}
NEW_DATABASE = {"DBInstanceIdentifier": "a", "AllocatedStorage": 20, **DATABASE}


def name() -> str:
    return f"q{uuid.uuid4().hex[:12]}"


def rule(first: int, *networks: str) -> dict[str, Any]:
    ranges = [{"CidrIp": network} for network in networks]
    return {"IpProtocol": "tcp", "FromPort": first, "ToPort": first, "IpRanges": ranges}


@pytest.fixture
def aws(aws_with_account: Any) -> Callable[[str], Any]:
    client: Callable[[str], Any] = aws_with_account.client
    return client


@pytest.fixture
def subnet(aws: Callable[[str], Any]) -> Iterator[dict[str, Any]]:
    """A subnet of a VPC of the test's own."""
    ec2 = aws("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24", AvailabilityZone="eu-west-1b")["Subnet"]
    yield made
    ec2.delete_subnet(SubnetId=made["SubnetId"])
    ec2.delete_vpc(VpcId=vpc_id)


# (service, operation), parameters, quota, code and text. None of them is done, so that no two are in each other's way.
REFUSED: list[tuple[tuple[str, str], dict[str, Any], str, str]] = [
    (("ec2", "create_vpc"), {"CidrBlock": "10.0.0.0/16"}, "L-F678F1CE", "VpcLimitExceeded.*of VPCs has been reached"),
    (("ec2", "create_internet_gateway"), {}, "L-A4707A72", "InternetGatewayLimitExceeded.*of internet gateways has"),
    (("ec2", "allocate_address"), {}, "L-0263D0A3", "AddressLimitExceeded.*of addresses has been reached"),
    (
        ("ec2", "create_security_group"),
        {"GroupName": "a", "Description": "a"},
        "L-E79EC296",
        "SecurityGroupLimitExceeded.*has been reached",
    ),
    (
        ("elbv2", "create_load_balancer"),
        {"Name": "a", "Subnets": ["a", "b"]},
        "L-53DA6B97",
        "TooManyLoadBalancers.*Exceeded quota of account 000000000000",
    ),
    (("elbv2", "create_target_group"), {"Name": "a", **HTTP}, "L-B22855CB", "TooManyTargetGroups.*of target groups"),
    (("rds", "create_db_instance"), NEW_DATABASE, "L-7B6409FD", "InstanceQuotaExceeded.*number of DB instances"),
    (("rds", "create_db_instance"), NEW_DATABASE, "L-7ADDB58A", "StorageQuotaExceeded.*amount of storage"),
    (
        ("rds", "create_db_subnet_group"),
        {"DBSubnetGroupName": "a", "DBSubnetGroupDescription": "a", "SubnetIds": ["a"]},
        "L-48C6BF61",
        "DBSubnetGroupQuotaExceeded.*number of DB subnet groups",
    ),
    (
        ("rds", "create_db_parameter_group"),
        {"DBParameterGroupName": "a", "DBParameterGroupFamily": "postgres17", "Description": "a"},
        "L-DE55804A",
        "DBParameterGroupQuotaExceeded.*number of DB parameter groups",
    ),
    (
        ("iam", "create_role"),
        {"RoleName": "a", "AssumeRolePolicyDocument": TRUST},
        "L-FE177D64",
        "LimitExceeded.*Cannot exceed quota for RolesPerAccount: 0",
    ),
    (
        ("s3", "create_bucket"),
        {"Bucket": "abc", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
        "L-DC2B2D3D",
        "TooManyBuckets.*more buckets than allowed",
    ),
    (
        ("secretsmanager", "create_secret"),
        {"Name": "a", "SecretString": "a"},
        "L-2F66C23C",
        "LimitExceededException.*Secrets Manager quotas",
    ),
    (("kms", "create_key"), {}, "L-C2F1777E", "LimitExceededException.*quota was exceeded"),
    (
        ("acm", "request_certificate"),
        {"DomainName": "a.example.com"},
        "L-F141DD1D",
        "LimitExceededException.*ACM quota",
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=[f"{one[0][1]}-{one[2]}" for one in REFUSED])
def test_nothing_is_left(aws: Callable[[str], Any], account: Say, case: Any) -> None:
    (service, operation), parameters, quota, said = case
    account(quotas={quota: 0})
    with pytest.raises(ClientError, match=said) as refused:
        getattr(aws(service), operation)(**parameters)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == (409 if service == "iam" else 400)


def test_the_last_one_is_given(aws: Callable[[str], Any], account: Say) -> None:
    ec2 = aws("ec2")
    used = len(ec2.describe_addresses()["Addresses"])
    account(quotas={"L-0263D0A3": used + 1})
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    with pytest.raises(ClientError, match="AddressLimitExceeded"):
        ec2.allocate_address(Domain="vpc")
    ec2.release_address(AllocationId=allocation)
    ec2.release_address(AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"])


def test_a_repeated_call_that_makes_nothing_is_answered(aws: Callable[[str], Any], account: Say) -> None:
    elbv2, group = aws("elbv2"), name()
    made = elbv2.create_target_group(Name=group, **HTTP)["TargetGroups"]
    account(quotas={"L-B22855CB": 0})
    assert (
        elbv2.create_target_group(Name=group, **HTTP)["TargetGroups"][0]["TargetGroupArn"] == made[0]["TargetGroupArn"]
    )
    aws("iam").create_role(RoleName=group, AssumeRolePolicyDocument=TRUST)
    account(quotas={"L-FE177D64": 0})
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        aws("iam").create_role(RoleName=group, AssumeRolePolicyDocument=TRUST)


def test_nat_gateways_count_by_zone(aws: Callable[[str], Any], account: Say, subnet: dict[str, Any]) -> None:
    ec2 = aws("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    account(quotas={"L-FE5A380F": 1})
    made = ec2.create_nat_gateway(SubnetId=subnet["SubnetId"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    with pytest.raises(ClientError, match=r"NatGatewayLimitExceeded.*exceed the limit of 1 NAT gateways"):
        ec2.create_nat_gateway(SubnetId=subnet["SubnetId"], AllocationId=address)
    elsewhere = ec2.create_subnet(VpcId=subnet["VpcId"], CidrBlock="10.0.1.0/24", AvailabilityZone="eu-west-1c")
    other = ec2.create_nat_gateway(SubnetId=elsewhere["Subnet"]["SubnetId"], AllocationId=address)["NatGateway"]
    ec2.delete_nat_gateway(NatGatewayId=made)
    again = ec2.create_nat_gateway(SubnetId=subnet["SubnetId"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    for gateway in (other["NatGatewayId"], again):
        ec2.delete_nat_gateway(NatGatewayId=gateway)
    ec2.delete_subnet(SubnetId=elsewhere["Subnet"]["SubnetId"])


def test_endpoints_count_by_type(aws: Callable[[str], Any], account: Say, subnet: dict[str, Any]) -> None:
    ec2 = aws("ec2")
    account(quotas={"L-29B6F2EB": 0, "L-1B52E74A": 0})
    for kind, service in (("Interface", "sqs"), ("Gateway", "s3")):
        with pytest.raises(ClientError, match=r"VpcEndpointLimitExceeded.*number of VPC endpoints has been reached\."):
            ec2.create_vpc_endpoint(
                VpcId=subnet["VpcId"], VpcEndpointType=kind, ServiceName=f"com.amazonaws.eu-west-1.{service}"
            )
    account(quotas={"L-29B6F2EB": 0})
    service = "com.amazonaws.eu-west-1.s3"
    made = ec2.create_vpc_endpoint(VpcId=subnet["VpcId"], VpcEndpointType="Gateway", ServiceName=service)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpoint"]["VpcEndpointId"]])


def test_subnets_count_by_vpc(aws: Callable[[str], Any], account: Say, subnet: dict[str, Any]) -> None:
    account(quotas={"L-407747CB": 1})
    with pytest.raises(ClientError, match="SubnetLimitExceeded"):
        aws("ec2").create_subnet(VpcId=subnet["VpcId"], CidrBlock="10.0.9.0/24")


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_rules_count_by_source_and_direction(
    aws: Callable[[str], Any], account: Say, subnet: dict[str, Any], direction: str
) -> None:
    ec2 = aws("ec2")
    group = ec2.create_security_group(GroupName=name(), Description="a", VpcId=subnet["VpcId"])["GroupId"]
    authorize = getattr(ec2, f"authorize_security_group_{direction}")
    # The rule that lets everything out is one.
    account(quotas={"L-0EA8095F": 2 + (direction == "egress")})
    authorize(GroupId=group, IpPermissions=[rule(80, "10.1.0.0/16", "10.2.0.0/16")])
    authorize(GroupId=group, IpPermissions=[rule(80, "10.1.0.0/16")])
    with pytest.raises(ClientError, match=r"RulesPerSecurityGroupLimitExceeded.*rules per security group has been"):
        authorize(GroupId=group, IpPermissions=[rule(80, "10.3.0.0/16")])
    ec2.delete_security_group(GroupId=group)


def test_a_larger_database_needs_storage(aws: Callable[[str], Any], account: Say) -> None:
    rds, identifier = aws("rds"), name()
    password = {"MasterUserPassword": "not-a-real-password"}
    rds.create_db_instance(DBInstanceIdentifier=identifier, AllocatedStorage=20, **DATABASE, **password)
    used = sum(one["AllocatedStorage"] for one in rds.describe_db_instances()["DBInstances"])
    account(quotas={"L-7ADDB58A": used + 10})
    with pytest.raises(ClientError, match="StorageQuotaExceeded"):
        rds.modify_db_instance(DBInstanceIdentifier=identifier, AllocatedStorage=40)
    rds.modify_db_instance(DBInstanceIdentifier=identifier, AllocatedStorage=30)
    account(quotas={"L-7B6409FD": 0})
    rds.modify_db_instance(DBInstanceIdentifier=identifier, BackupRetentionPeriod=3)
    rds.delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)


def test_a_repeated_attempt_gets_the_answer_of_the_first(aws: Callable[[str], Any], account: Say) -> None:
    """The reply was lost, and what it made is the last that the quota allows."""
    ec2 = aws("ec2")
    subnet = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]
    call = {"SubnetId": subnet["SubnetId"], "ConnectivityType": "private", "ClientToken": name()}
    made = ec2.create_nat_gateway(**call)["NatGateway"]["NatGatewayId"]
    account(quotas={"L-FE5A380F": 0})
    assert ec2.create_nat_gateway(**call)["NatGateway"]["NatGatewayId"] == made
    ec2.delete_nat_gateway(NatGatewayId=made)


def test_each_source_of_a_permission_is_a_rule() -> None:
    pairs = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}], "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    assert len(usage.rules_of([rule(80, "10.1.0.0/16", "10.2.0.0/16"), pairs, rule(80, "10.1.0.0/16")])) == 4
