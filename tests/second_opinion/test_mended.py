# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is mended in moto is still broken there: when a test fails, take its entry out of mended.py."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.second_opinion.mended import MENDS
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.ec2.models.vpcs import VPCBackend
from moto.ecs.models import EC2ContainerServiceBackend
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.models import FakeBucket

FROM_LOGGING = {
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::logs/server/*",
}
OVER_TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
SERVICES = [{"ServiceName": "com.amazonaws.eu-west-1.sqs"}, {"ServiceName": "com.amazonaws.eu-west-1.s3"}]
FILTERS = [{"Name": "service-name", "Values": ["com.amazonaws.eu-west-1.sqs"]}]


def denied() -> Any:
    return IAMPolicyStatement(OVER_TLS).is_action_permitted("s3:PutObject", "arn:aws:s3:::logs/a")


def endpoint_services() -> Any:
    return VPCBackend._filter_endpoint_services([], FILTERS, SERVICES)


def log_permission(prefix: str = "server/a/") -> Any:
    policy = json.dumps({"Statement": [OVER_TLS, FROM_LOGGING]}).encode()
    bucket = SimpleNamespace(policy=policy, name="logs", partition="aws")
    return FakeBucket._log_permissions_enabled_policy(bucket, prefix)


def requirements() -> Any:
    definition = SimpleNamespace(container_definitions=[{"name": "main", "cpu": 0}])
    return EC2ContainerServiceBackend._calculate_task_resource_requirements(definition)


def client(service: str) -> Any:
    return boto3.client(service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


def interfaces_of_a_deleted_nat_gateway() -> int:
    with mock_aws():
        ec2 = client("ec2")
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
        ec2.delete_nat_gateway(NatGatewayId=gateway)
        return len(ec2.describe_network_interfaces()["NetworkInterfaces"])


def associations_of_a_deleted_subnet() -> int:
    with mock_aws():
        ec2 = client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(SubnetId=subnet, RouteTableId=table)
        ec2.delete_subnet(SubnetId=subnet)
        acls = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
        tables = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        return sum(len(one["Associations"]) for one in (*acls, *tables))


def quotas(service: str) -> dict[str, float]:
    with mock_aws():
        answer = client("service-quotas").list_service_quotas(ServiceCode=service)
        return {one["QuotaCode"]: one["Value"] for one in answer["Quotas"]}


def quotas_of_rds() -> dict[str, tuple[int, int]]:
    with mock_aws():
        storage = {"DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "AllocatedStorage": 20}
        client("rds").create_db_instance(DBInstanceIdentifier="a", **storage)
        listed = client("rds").describe_account_attributes()["AccountQuotas"]
        return {one["AccountQuotaName"]: (one["Used"], one["Max"]) for one in listed}


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's functions mended for one test."""
    for mend in MENDS:
        monkeypatch.setattr(mend.owner, mend.name, mend.owner.__dict__.get(mend.name), raising=False)
        mend.apply()


def test_moto_takes_every_condition_for_met() -> None:
    assert denied() is PermissionResult.DENIED


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (endpoint_services, KeyError),
        (log_permission, AttributeError),
        (requirements, TypeError),
        (lambda: quotas("vpc"), NotImplementedError),
        (quotas_of_rds, NotImplementedError),
    ],
)
def test_moto_breaks(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_moto_keeps_the_interface_of_a_nat_gateway() -> None:
    assert interfaces_of_a_deleted_nat_gateway() == 1


def test_moto_keeps_the_associations_of_a_subnet() -> None:
    assert associations_of_a_deleted_subnet() == 2


@pytest.mark.usefixtures("mended")
def test_mended_it_does_what_aws_does() -> None:
    assert denied() is PermissionResult.NEUTRAL
    assert endpoint_services() == SERVICES[:1]
    assert log_permission() is True
    assert log_permission("elsewhere/") is False
    assert requirements()["MEMORY"] == 0
    assert interfaces_of_a_deleted_nat_gateway() == 0
    assert associations_of_a_deleted_subnet() == 0
    assert quotas("vpc")["L-F678F1CE"] == 5
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        quotas("ecs")
    assert quotas_of_rds()["AllocatedStorage"] == (20, 100_000)
