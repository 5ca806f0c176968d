# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Services of VPC endpoints have Availability Zones, and no endpoint is in another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Say = Callable[..., None]
REGION = "com.amazonaws.eu-west-1"
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]


def details(aws: Any, **asked: Any) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = aws.client("ec2").describe_vpc_endpoint_services(**asked)["ServiceDetails"]
    return answer


def named(*services: str) -> list[dict[str, Any]]:
    return [{"Name": "service-name", "Values": [f"{REGION}.{service}" for service in services]}]


@pytest.fixture
def default_subnets(aws_with_account: Any) -> dict[str, Any]:
    """Subnets of the default VPC by their zone."""
    asked = [{"Name": "default-for-az", "Values": ["true"]}]
    found = aws_with_account.client("ec2").describe_subnets(Filters=asked)["Subnets"]
    return {subnet["AvailabilityZone"]: subnet for subnet in found}


def test_a_service_has_its_zones(aws_with_account: Any) -> None:
    (service,) = details(aws_with_account, Filters=named("ecr.api"))
    assert service["AvailabilityZones"] == ZONES
    assert service["AvailabilityZoneIds"] == ["euw1-az1", "euw1-az2", "euw1-az3"]
    assert service["ServiceType"] == [{"ServiceType": "Interface"}]
    assert service["VpcEndpointPolicySupported"] is True
    assert not details(aws_with_account, Filters=named("transfer.server"))[0]["VpcEndpointPolicySupported"]


def test_s3_has_both_types(aws_with_account: Any) -> None:
    kinds = [service["ServiceType"][0]["ServiceType"] for service in details(aws_with_account, Filters=named("s3"))]
    assert kinds == ["Gateway", "Interface"]
    gateways = details(aws_with_account, Filters=[{"Name": "service-type", "Values": ["Gateway"]}])
    assert {service["ServiceName"] for service in gateways} == {f"{REGION}.s3", f"{REGION}.dynamodb"}


def test_all_are_listed_without_a_name(aws_with_account: Any) -> None:
    answer = aws_with_account.client("ec2").describe_vpc_endpoint_services()
    services = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "sqs", "s3")
    assert {f"{REGION}.{service}" for service in services} <= set(answer["ServiceNames"])


def test_a_service_without_zones_does_not_exist(aws_with_account: Any, account: Say) -> None:
    account(endpoint_service_zones={"sqs": []})
    assert details(aws_with_account, Filters=named("sqs", "sns"))[0]["ServiceName"] == f"{REGION}.sns"
    for call in (
        lambda: details(aws_with_account, ServiceNames=[f"{REGION}.sqs"]),
        lambda: aws_with_account.client("ec2").create_vpc_endpoint(
            VpcId="vpc-1", VpcEndpointType="Interface", ServiceName=f"{REGION}.sqs"
        ),
    ):
        with pytest.raises(ClientError, match=r"InvalidServiceName.*'com\.amazonaws\.eu-west-1\.sqs' does not exist"):
            call()


def test_an_endpoint_is_where_its_service_is(
    aws_with_account: Any, account: Say, default_subnets: dict[str, Any]
) -> None:
    account(endpoint_service_zones={"sqs": ["eu-west-1b"]})
    assert details(aws_with_account, ServiceNames=[f"{REGION}.sqs"])[0]["AvailabilityZones"] == ["eu-west-1b"]
    ec2 = aws_with_account.client("ec2")
    here, elsewhere = default_subnets["eu-west-1b"], default_subnets["eu-west-1a"]["SubnetId"]
    request = {"VpcId": here["VpcId"], "VpcEndpointType": "Interface", "ServiceName": f"{REGION}.sqs"}
    said = f"InvalidParameter.*sqs does not support the availability zone of the subnet: {elsewhere}"
    with pytest.raises(ClientError, match=said):
        ec2.create_vpc_endpoint(SubnetIds=[here["SubnetId"], elsewhere], **request)
    made = ec2.create_vpc_endpoint(SubnetIds=[here["SubnetId"]], **request)["VpcEndpoint"]["VpcEndpointId"]
    with pytest.raises(ClientError, match=said):
        ec2.modify_vpc_endpoint(VpcEndpointId=made, AddSubnetIds=[elsewhere])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])


@pytest.mark.parametrize(
    ("asked", "zones"),
    [
        ({}, ZONES),
        ({"Filters": [{"Name": "state", "Values": ["available"]}]}, ZONES),
        ({"Filters": [{"Name": "state", "Values": ["impaired"]}]}, []),
        ({"Filters": [{"Name": "zone-name", "Values": ["eu-west-1a", "eu-west-1c"]}]}, ["eu-west-1a", "eu-west-1c"]),
        ({"ZoneNames": ["eu-west-1b"]}, ["eu-west-1b"]),
        ({"ZoneIds": ["euw1-az3"]}, ["eu-west-1c"]),
    ],
)
def test_zones_are_those_that_are_asked_for(aws_with_account: Any, asked: dict[str, Any], zones: list[str]) -> None:
    found = aws_with_account.client("ec2").describe_availability_zones(**asked)["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in found] == zones
    assert [zone["ZoneId"] for zone in found] == [f"euw1-az{'abc'.index(name[-1]) + 1}" for name in zones]
