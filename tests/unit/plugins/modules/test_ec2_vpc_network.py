# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ec2_vpc_network against the local AWS: the ladder, repair of drift and half-deleted networks, refusals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2 import resources as ec2_common
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "ec2_vpc_network"
# What the role asks for.
ACLS = [
    {"tier": "public", "ports": ["443", "80", "1024-3388", "3390-65535"]},
    {"tier": "private", "ports": ["1024-3388", "3390-65535"]},
]


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    return local_aws_endpoint


@pytest.fixture
def present(unique_name: str) -> dict[str, Any]:
    return {
        "name": unique_name,
        "lookup_tags": {"sm2a:environment": unique_name},
        "cidr": "10.90.0.0/16",
        "public_subnet_cidrs": ["10.90.0.0/24", "10.90.1.0/24"],
        "private_subnet_cidrs": ["10.90.32.0/20", "10.90.48.0/20"],
        "nat_gateways": "single",
        "network_acls": ACLS,
        "tags": {"team": "data"},
    }


@pytest.fixture
def absent(present: dict[str, Any]) -> dict[str, Any]:
    return {"name": present["name"], "lookup_tags": present["lookup_tags"], "state": "absent"}


@pytest.fixture
def read_state(aws: Callable[[str], Any], unique_name: str) -> Callable[[], list[tuple[str, str]]]:
    """(kind, id) of everything that carries the test's environment tag and has not been deleted."""
    ec2 = aws("ec2")
    filters = [{"Name": "tag:sm2a:environment", "Values": [unique_name]}]

    def read() -> list[tuple[str, str]]:
        gateways = ec2.describe_nat_gateways(Filters=filters)["NatGateways"]
        alive = [gateway for gateway in gateways if gateway["State"] != "deleted"]
        kinds = {
            "VpcId": ec2.describe_vpcs(Filters=filters)["Vpcs"],
            "SubnetId": ec2.describe_subnets(Filters=filters)["Subnets"],
            "InternetGatewayId": ec2.describe_internet_gateways(Filters=filters)["InternetGateways"],
            "RouteTableId": ec2.describe_route_tables(Filters=filters)["RouteTables"],
            "NetworkAclId": ec2.describe_network_acls(Filters=filters)["NetworkAcls"],
            "AllocationId": ec2.describe_addresses(Filters=filters)["Addresses"],
            "NatGatewayId": alive,
        }
        return sorted((kind, one[kind]) for kind, found in kinds.items() for one in found)

    return read


def default_routes(ec2: Any, network: dict[str, Any]) -> list[str | None]:
    """Targets of 0.0.0.0/0 in the private route tables, in the order of the zones."""
    targets = []
    for table_id in network["private_route_table_ids"]:
        routes = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"][0]["Routes"]
        default = [route for route in routes if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
        targets.append(default[0].get("NatGatewayId") if default else None)
    return targets


def test_ladder(own_ladder: Callable[..., support.Ladder]) -> None:
    rungs = own_ladder()
    assert rungs.predicted["network"]["vpc_id"] == "vpc-00000000000000000"
    predicted = rungs.predicted["network"]
    assert len({*predicted["public_subnet_ids"], *predicted["private_subnet_ids"]}) == 4
    assert support.side(rungs.predicted, "after").keys() == support.side(rungs.applied, "after").keys()
    made = rungs.applied["network"]
    assert len(made["nat_gateway_ids"]) == 1
    assert len(made["private_route_table_ids"]) == 2
    assert rungs.repeated["network"] == made
    assert rungs.removed["network"]["vpc_id"] is None


def test_nat_gateways_follow_the_choice(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], absent: dict[str, Any]
) -> None:
    ec2 = aws("ec2")
    single = run_module(MODULE, present)["network"]
    assert default_routes(ec2, single) == single["nat_gateway_ids"] * 2

    per_zone = run_module(MODULE, {**present, "nat_gateways": "per_zone"})["network"]
    assert len(per_zone["nat_gateway_ids"]) == 2
    assert default_routes(ec2, per_zone) == per_zone["nat_gateway_ids"]

    none = run_module(MODULE, {**present, "nat_gateways": "none"})["network"]
    assert default_routes(ec2, none) == [None, None]
    filters = [{"Name": "tag:sm2a:environment", "Values": [present["name"]]}]
    assert ec2.describe_addresses(Filters=filters)["Addresses"] == []
    assert not run_module(MODULE, {**present, "nat_gateways": "none"})["changed"]
    run_module(MODULE, absent)


def test_drift_is_predicted_and_repaired(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], absent: dict[str, Any]
) -> None:
    ec2 = aws("ec2")
    made = run_module(MODULE, present)["network"]
    ec2.modify_subnet_attribute(SubnetId=made["public_subnet_ids"][0], MapPublicIpOnLaunch={"Value": True})
    ec2.modify_vpc_attribute(VpcId=made["vpc_id"], EnableDnsHostnames={"Value": False})
    ec2.delete_route(RouteTableId=made["private_route_table_ids"][1], DestinationCidrBlock="0.0.0.0/0")
    ec2.create_tags(Resources=[made["private_subnet_ids"][0]], Tags=[{"Key": "stray", "Value": "1"}])

    predicted = run_module(MODULE, present, check=True)
    applied = run_module(MODULE, present)
    assert predicted["diff"] == applied["diff"]
    assert applied["changed"]
    assert not run_module(MODULE, present)["changed"]
    assert not ec2.describe_subnets(SubnetIds=[made["public_subnet_ids"][0]])["Subnets"][0]["MapPublicIpOnLaunch"]
    assert default_routes(ec2, made) == made["nat_gateway_ids"] * 2
    run_module(MODULE, absent)


def test_half_deleted_network_is_completed_and_removed(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], list[tuple[str, str]]],
) -> None:
    ec2 = aws("ec2")
    made = run_module(MODULE, present)["network"]
    ec2.delete_subnet(SubnetId=made["private_subnet_ids"][0])
    ec2.delete_nat_gateway(NatGatewayId=made["nat_gateway_ids"][0])
    ec2.detach_internet_gateway(InternetGatewayId=made["internet_gateway_id"], VpcId=made["vpc_id"])

    assert run_module(MODULE, present, check=True)["changed"]
    repaired = run_module(MODULE, present)["network"]
    assert repaired["vpc_id"] == made["vpc_id"]
    assert repaired["internet_gateway_id"] == made["internet_gateway_id"]
    assert repaired["availability_zones"] == made["availability_zones"]
    assert not run_module(MODULE, present)["changed"]

    ec2.delete_subnet(SubnetId=repaired["public_subnet_ids"][1])
    ec2.detach_internet_gateway(InternetGatewayId=made["internet_gateway_id"], VpcId=made["vpc_id"])
    ec2.delete_nat_gateway(NatGatewayId=repaired["nat_gateway_ids"][0])
    run_module(MODULE, absent)
    assert read_state() == []


def test_another_owners_vpc_of_the_same_name_is_not_taken(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], absent: dict[str, Any]
) -> None:
    ec2 = aws("ec2")
    foreign = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[foreign], Tags=[{"Key": "Name", "Value": present["name"]}])
    assert not run_module(MODULE, absent)["changed"]
    assert ec2.describe_vpcs(VpcIds=[foreign])["Vpcs"]


def test_twins_are_refused(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], absent: dict[str, Any]
) -> None:
    ec2 = aws("ec2")
    run_module(MODULE, present)
    twin = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    tags = [{"Key": "Name", "Value": present["name"]}, {"Key": "sm2a:environment", "Value": present["name"]}]
    ec2.create_tags(Resources=[twin], Tags=tags)
    with pytest.raises(support.ModuleFailedError, match="2 VPCs are named"):
        run_module(MODULE, absent)
    ec2.delete_vpc(VpcId=twin)
    run_module(MODULE, absent)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cidr": "10.91.0.0/16"}, "cannot be changed"),
        ({"private_subnet_cidrs": ["10.90.64.0/20", "10.90.48.0/20"]}, "cannot be changed"),
        ({"availability_zones": ["eu-west-1c", "eu-west-1b"]}, "cannot be changed"),
        ({"availability_zones": ["eu-west-1a"]}, "2 availability zones are required"),
        ({"private_subnet_cidrs": ["10.90.32.0/20"]}, "2 availability zones need 2 private_subnet_cidrs, not 1"),
        ({"network_acls": [{"tier": "public", "ports": ["https"]}]}, "'https' is not a port or a range of ports"),
    ],
)
def test_what_cannot_change_is_refused(
    run_module: support.RunModule, present: dict[str, Any], absent: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    run_module(MODULE, present)
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module(MODULE, {**present, **change})
    run_module(MODULE, absent)


def acls_of(ec2: Any, vpc_id: str) -> dict[str, dict[str, Any]]:
    """The ACLs of a VPC by their Name tag; the default one as "default"."""
    acls = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["NetworkAcls"]
    return {{tag["Key"]: tag["Value"] for tag in acl["Tags"]}.get("Name", "default"): acl for acl in acls}


def subnets_of(acl: dict[str, Any]) -> list[str]:
    return sorted(one["SubnetId"] for one in acl["Associations"])


def test_network_acls_let_no_one_from_outside_reach_ssh_or_rdp(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], absent: dict[str, Any]
) -> None:
    ec2 = aws("ec2")
    made = run_module(MODULE, present)["network"]
    acls = acls_of(ec2, made["vpc_id"])
    assert subnets_of(acls[f"{present['name']}-public"]) == sorted(made["public_subnet_ids"])
    assert subnets_of(acls[f"{present['name']}-private"]) == sorted(made["private_subnet_ids"])
    assert subnets_of(acls["default"]) == []
    for acl in (acls[f"{present['name']}-public"], acls[f"{present['name']}-private"]):
        allowed = [one for one in acl["Entries"] if not one["Egress"] and one["RuleAction"] == "allow"]
        assert [one["CidrBlock"] for one in allowed if one["Protocol"] == "-1"] == [present["cidr"]]
        for one in allowed:
            if one["CidrBlock"] == "0.0.0.0/0":
                ports = range(one["PortRange"]["From"], one["PortRange"]["To"] + 1)
                assert 22 not in ports
                assert 3389 not in ports
    run_module(MODULE, absent)


def test_network_acls_are_repaired_and_withdrawn(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], absent: dict[str, Any]
) -> None:
    ec2 = aws("ec2")
    made = run_module(MODULE, present)["network"]
    acls = acls_of(ec2, made["vpc_id"])
    own = acls[f"{present['name']}-private"]["NetworkAclId"]
    world = {"Protocol": "6", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0", "Egress": False}
    ec2.create_network_acl_entry(NetworkAclId=own, RuleNumber=50, PortRange={"From": 22, "To": 22}, **world)
    ec2.replace_network_acl_entry(NetworkAclId=own, RuleNumber=200, PortRange={"From": 1024, "To": 65535}, **world)
    ec2.delete_network_acl_entry(NetworkAclId=own, RuleNumber=210, Egress=False)
    strayed = acls[f"{present['name']}-public"]["Associations"][0]["NetworkAclAssociationId"]
    ec2.replace_network_acl_association(AssociationId=strayed, NetworkAclId=acls["default"]["NetworkAclId"])
    repaired = support.change_once(run_module, MODULE, present, lambda: acls_of(ec2, made["vpc_id"]))
    before = support.side(repaired, "before")[f"{present['name']}-private network ACL"]
    assert "50 allow tcp 22 0.0.0.0/0" in before["ingress"]
    assert len(subnets_of(acls_of(ec2, made["vpc_id"])[f"{present['name']}-public"])) == 2

    assert not run_module(MODULE, {**present, "network_acls": None})["changed"]
    support.change_once(run_module, MODULE, {**present, "network_acls": []}, lambda: acls_of(ec2, made["vpc_id"]))
    left = acls_of(ec2, made["vpc_id"])
    assert set(left) == {"default"}
    assert len(subnets_of(left["default"])) == 4
    run_module(MODULE, absent)


def test_three_zones_with_derived_ranges(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], absent: dict[str, Any]
) -> None:
    derived = {key: value for key, value in present.items() if not key.endswith("_subnet_cidrs")}
    two = run_module(MODULE, derived)["network"]
    # The ranges of two zones are those that the tests above give.
    assert not run_module(MODULE, present)["changed"]
    three = {**derived, "availability_zone_count": 3, "nat_gateways": "per_zone"}
    made = run_module(MODULE, three)["network"]
    assert made["availability_zones"] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert made["private_subnet_ids"][:2] == two["private_subnet_ids"]
    assert len(set(made["nat_gateway_ids"])) == 3
    subnets = aws("ec2").describe_subnets(SubnetIds=[made["public_subnet_ids"][2], made["private_subnet_ids"][2]])
    assert sorted(subnet["CidrBlock"] for subnet in subnets["Subnets"]) == ["10.90.2.0/24", "10.90.64.0/20"]
    assert not run_module(MODULE, three, check=True)["changed"]
    with pytest.raises(support.ModuleFailedError, match="cannot be reduced to 2"):
        run_module(MODULE, derived, check=True)
    run_module(MODULE, absent)


def test_unset_nat_gateways_are_left_alone(
    run_module: support.RunModule, present: dict[str, Any], absent: dict[str, Any]
) -> None:
    made = run_module(MODULE, present)["network"]
    unset = run_module(MODULE, {key: value for key, value in present.items() if key != "nat_gateways"})
    assert not unset["changed"]
    assert unset["network"]["nat_gateway_ids"] == made["nat_gateway_ids"]
    assert len(unset["network"]["address_ids"]) == 1
    run_module(MODULE, absent)


def test_removal_waits_for_interfaces_and_names_those_that_stay(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    absent: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ec2_common, "INTERFACE_POLL_SECONDS", 0.05)
    monkeypatch.setattr(ec2_common, "INTERFACE_TIMEOUT_SECONDS", 0)
    ec2 = aws("ec2")
    made = run_module(MODULE, present)["network"]
    interface = ec2.create_network_interface(SubnetId=made["private_subnet_ids"][0], Description="ELB app/left/over")
    interface_id = interface["NetworkInterface"]["NetworkInterfaceId"]
    with pytest.raises(
        support.ModuleFailedError, match=f"1 network interfaces still use .*{interface_id} .ELB app/left"
    ):
        run_module(MODULE, absent)
    monkeypatch.setattr(ec2_common, "INTERFACE_TIMEOUT_SECONDS", 30)
    timer = threading.Timer(0.3, ec2.delete_network_interface, kwargs={"NetworkInterfaceId": interface_id})
    timer.start()
    assert run_module(MODULE, absent)["network"]["vpc_id"] is None
    timer.join()
