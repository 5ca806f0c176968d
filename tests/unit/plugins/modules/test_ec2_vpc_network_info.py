# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ec2_vpc_network_info returns what ec2_vpc_network made, and nothing for an unknown name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "ec2_vpc_network_info"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    return local_aws_endpoint


def test_reads_what_was_made(run_module: support.RunModule, unique_name: str) -> None:
    identity = {"name": unique_name, "lookup_tags": {"sm2a:environment": unique_name}}
    asked = {**identity, "security_group_names": ["database", "worker"], "availability_zone_count": 3}
    [made_up] = support.placeholders(run_module, MODULE, asked, "networks")
    assert made_up["vpc_id"] == "vpc-00000000000000000"
    subnets = [*made_up["public_subnet_ids"], *made_up["private_subnet_ids"]]
    assert (subnets[-1], len(set(subnets))) == ("subnet-00000000000000005", 6)
    assert made_up["security_group_ids"] == {"database": "sg-00000000000000000", "worker": "sg-00000000000000001"}
    made = run_module(
        "ec2_vpc_network",
        {
            **identity,
            "cidr": "10.4.0.0/16",
            "public_subnet_cidrs": ["10.4.0.0/24", "10.4.1.0/24"],
            "private_subnet_cidrs": ["10.4.2.0/24", "10.4.3.0/24"],
            "nat_gateways": "per_zone",
        },
    )["network"]
    groups = run_module(
        "ec2_security_groups",
        {
            "vpc_id": made["vpc_id"],
            "lookup_tags": identity["lookup_tags"],
            "groups": [{"name": "database", "description": "Database"}],
        },
    )["group_ids"]

    [read] = run_module("ec2_vpc_network_info", identity)["networks"]
    ids = read.pop("security_group_ids")
    assert read == {**made, "exists": True}
    assert ids == groups
    [completed] = run_module(MODULE, {**asked, "placeholders": True}, check=True)["networks"]
    assert completed.pop("security_group_ids") == {**groups, "worker": made_up["security_group_ids"]["worker"]}
    assert completed == read
    other = {**identity, "lookup_tags": {"sm2a:environment": "other"}}
    assert run_module("ec2_vpc_network_info", other)["networks"] == []


def test_a_given_vpc_is_read_and_checked(
    run_module: support.RunModule, aws: Callable[[str], Any], unique_name: str
) -> None:
    ec2 = aws("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.5.{index}.0/24", AvailabilityZone=f"eu-west-1{zone}")
        for index, zone in enumerate("abab")
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    own_table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=own_table, SubnetId=ids[3])
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "association.main", "Values": ["true"]}]
    main_table = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]
    given = {"name": unique_name, "vpc_id": vpc_id, "public_subnet_ids": ids[:2], "private_subnet_ids": ids[2:]}

    [read] = run_module(MODULE, given)["networks"]
    assert (read["vpc_id"], read["cidr"], read["cidrs"]) == (vpc_id, "10.5.0.0/16", ["10.5.0.0/16"])
    assert read["availability_zones"] == ["eu-west-1a", "eu-west-1b"]
    assert (read["public_subnet_ids"], read["private_subnet_ids"]) == (ids[:2], ids[2:])
    assert read["private_route_table_ids"] == [main_table, own_table]
    less = {**given, "public_subnet_ids": [], "security_group_names": ["worker"], "placeholders": True}
    for check in (True, False):
        assert run_module(MODULE, less, check=check)["networks"][0]["public_subnet_ids"] == []
    assert "worker" not in run_module(MODULE, less)["networks"][0]["security_group_ids"]
    assert "worker" in run_module(MODULE, less, check=True)["networks"][0]["security_group_ids"]

    changes: list[tuple[dict[str, Any], str]] = [
        ({"vpc_id": "vpc-0123456789abcdef0"}, "VPC vpc-0123456789abcdef0 does not exist"),
        ({"private_subnet_ids": [ids[2], "subnet-0123456789abcdef0"]}, "no private subnets subnet-0123456789abcdef0"),
        ({"private_subnet_ids": [ids[0], ids[2]]}, "in 2 availability zones or more, not: eu-west-1a"),
        ({"public_subnet_ids": ids[:1]}, "The public subnets must be in 2 availability zones"),
        ({"private_subnet_ids": []}, "not: none"),
    ]
    for change, message in changes:
        with pytest.raises(support.ModuleFailedError, match=message):
            run_module(MODULE, {**given, **change})
    for subnet_id in ids:
        ec2.delete_subnet(SubnetId=subnet_id)
    ec2.delete_vpc(VpcId=vpc_id)
