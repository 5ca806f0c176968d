# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""ec2_vpc_endpoints against an emulator: the ladder, places that change, endpoints that go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.modules import ec2_vpc_endpoints
from ansible_collections.sm2a.airflow.tests.unit.plugins import support

MODULE = "ec2_vpc_endpoints"


@pytest.fixture
def network(run_module: support.RunModule, unique_name: str) -> Iterator[dict[str, Any]]:
    made = run_module(
        "ec2_vpc_network",
        {
            "name": unique_name,
            "cidr": "10.3.0.0/16",
            "public_subnet_cidrs": ["10.3.0.0/24", "10.3.1.0/24"],
            "private_subnet_cidrs": ["10.3.2.0/24", "10.3.3.0/24"],
            "nat_gateways": "none",
        },
    )
    yield made["network"]
    run_module("ec2_vpc_network", {"name": unique_name, "state": "absent"})


@pytest.fixture
def present(network: dict[str, Any]) -> dict[str, Any]:
    return {
        "vpc_id": network["vpc_id"],
        "name": network["name"],
        "endpoints": [{"service": "s3", "type": "Gateway"}, {"service": "sqs"}, {"service": "ecr.api"}],
        "route_table_ids": network["private_route_table_ids"],
        "subnet_ids": network["private_subnet_ids"],
        "security_group_ids": ["sg-0123456789abcdef0"],
        "tags": {"team": "data"},
    }


@pytest.fixture
def absent(present: dict[str, Any]) -> dict[str, Any]:
    return {**present, "endpoints": [{**endpoint, "state": "absent"} for endpoint in present["endpoints"]]}


@pytest.fixture
def read_state(aws: Callable[[str], Any], network: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """The VPC's endpoints by service."""
    ec2 = aws("ec2")

    def read() -> dict[str, Any]:
        endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
        return {one["ServiceName"]: one for one in endpoints if one["VpcId"] == network["vpc_id"]}

    return read


def test_ladder(own_ladder: Callable[..., support.Ladder]) -> None:
    rungs = own_ladder()
    assert rungs.predicted["diff"] == rungs.applied["diff"]
    assert set(rungs.repeated["endpoint_ids"]) == {"s3", "sqs", "ecr.api"}
    assert rungs.removed["endpoint_ids"] == {}


@pytest.mark.usefixtures("made")
def test_places_follow_the_options(
    run_module: support.RunModule,
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    fewer = {**present, "route_table_ids": present["route_table_ids"][:1], "subnet_ids": present["subnet_ids"][1:]}
    predicted = run_module(MODULE, fewer, check=True)
    assert run_module(MODULE, fewer)["diff"] == predicted["diff"]
    endpoints = read_state()
    assert endpoints["com.amazonaws.eu-west-1.s3"]["RouteTableIds"] == fewer["route_table_ids"]
    assert endpoints["com.amazonaws.eu-west-1.sqs"]["SubnetIds"] == fewer["subnet_ids"]
    assert not run_module(MODULE, fewer)["changed"]
    assert run_module(MODULE, present)["changed"]
    assert sorted(read_state()["com.amazonaws.eu-west-1.sqs"]["SubnetIds"]) == sorted(present["subnet_ids"])


@pytest.mark.usefixtures("made")
def test_a_new_choice_of_endpoints(
    run_module: support.RunModule,
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    kept = present["endpoints"][0]
    only_gateway = {**present, "endpoints": [kept, *absent["endpoints"][1:]]}
    assert run_module(MODULE, only_gateway)["changed"]
    assert set(read_state()) == {"com.amazonaws.eu-west-1.s3"}
    assert not run_module(MODULE, only_gateway)["changed"]


@pytest.mark.usefixtures("made")
def test_the_type_cannot_change(run_module: support.RunModule, present: dict[str, Any]) -> None:
    with pytest.raises(support.ModuleFailedError, match=r"type of the endpoint of .*s3 cannot change"):
        run_module(MODULE, {**present, "endpoints": [{"service": "s3", "type": "Interface"}]}, check=True)


def test_security_groups_are_compared_when_the_answer_tells_them() -> None:
    told = {"SubnetIds": ["subnet-1"], "Groups": [{"GroupId": "sg-2"}, {"GroupId": "sg-1"}]}
    assert ec2_vpc_endpoints.places_of(told, "Interface") == {
        "subnet_ids": ["subnet-1"],
        "security_group_ids": ["sg-1", "sg-2"],
    }
    assert ec2_vpc_endpoints.places_of({"SubnetIds": []}, "Interface") == {"subnet_ids": []}
