# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ec2_vpc_endpoints against the local AWS: the ladder, places that change, endpoints that go, those of others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2 import endpoints as ec2_endpoints
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "ec2_vpc_endpoints"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    return local_aws_endpoint


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
        "lookup_tags": {"sm2a:environment": network["name"]},
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
    with pytest.raises(support.ModuleFailedError, match=r"type of the endpoint of .*s3 cannot be changed"):
        run_module(MODULE, {**present, "endpoints": [{"service": "s3", "type": "Interface"}]}, check=True)


@pytest.mark.usefixtures("made")
def test_drift_of_groups_is_repaired(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    sqs = read_state()["com.amazonaws.eu-west-1.sqs"]
    assert sqs["PrivateDnsEnabled"]
    assert [group["GroupId"] for group in sqs["Groups"]] == present["security_group_ids"]
    aws("ec2").modify_vpc_endpoint(
        VpcEndpointId=sqs["VpcEndpointId"],
        AddSecurityGroupIds=["sg-00000000000000bad"],
        RemoveSecurityGroupIds=present["security_group_ids"],
        PrivateDnsEnabled=False,
    )
    support.change_once(run_module, MODULE, present, read_state)
    sqs = read_state()["com.amazonaws.eu-west-1.sqs"]
    assert sqs["PrivateDnsEnabled"]
    assert [group["GroupId"] for group in sqs["Groups"]] == present["security_group_ids"]


@pytest.mark.usefixtures("made")
def test_own_endpoints_that_are_not_listed_are_told(run_module: support.RunModule, present: dict[str, Any]) -> None:
    fewer = run_module(MODULE, {**present, "endpoints": present["endpoints"][:1]})
    assert not fewer["changed"]
    assert fewer["unlisted"] == [
        {"service": "ecr.api", "type": "Interface"},
        {"service": "sqs", "type": "Interface"},
    ]
    purged = run_module(MODULE, {**present, "endpoints": present["endpoints"][:1], "purge_endpoints": True})
    assert set(support.side(purged, "before")) - set(support.side(purged, "after")) == {
        f"{present['name']}-ecr.api",
        f"{present['name']}-sqs",
    }
    assert purged["unlisted"] == []
    with pytest.raises(support.ModuleFailedError, match="purge_endpoints requires lookup_tags"):
        run_module(MODULE, {**present, "lookup_tags": {}, "purge_endpoints": True}, check=True)


def test_endpoints_of_others_are_used_and_left_alone(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    ec2 = aws("ec2")
    tables = present["route_table_ids"]
    others = [
        {"ServiceName": "com.amazonaws.eu-west-1.sqs", "VpcEndpointType": "Interface", "PrivateDnsEnabled": True},
        {"ServiceName": "com.amazonaws.eu-west-1.s3", "VpcEndpointType": "Gateway", "RouteTableIds": tables[:1]},
    ]
    ids = [
        ec2.create_vpc_endpoint(VpcId=present["vpc_id"], **other)["VpcEndpoint"]["VpcEndpointId"] for other in others
    ]
    before = read_state()
    made = run_module(MODULE, present)
    assert made["endpoint_ids"]["sqs"] == ids[0]
    # The route tables without a gateway endpoint get one.
    assert support.side(made, "after")[f"{present['name']}-s3"]["route_table_ids"] == tables[1:]
    assert set(support.side(made, "after")) == {f"{present['name']}-s3", f"{present['name']}-ecr.api"}
    assert not run_module(MODULE, present)["changed"]
    run_module(MODULE, absent)
    assert read_state() == before
    ec2.modify_vpc_endpoint(VpcEndpointId=ids[1], AddRouteTableIds=tables[1:])
    only = {**present, "endpoints": present["endpoints"][:1]}
    assert run_module(MODULE, only)["endpoint_ids"] == {"s3": ids[1]}
    ec2.delete_vpc_endpoints(VpcEndpointIds=ids)


def own_account_only(*keys: str) -> dict[str, Any]:
    """A policy with a condition of these keys."""
    condition = {"StringEquals": {f"aws:{key}": support.ACCOUNT for key in keys}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def with_policy(present: dict[str, Any], policy: dict[str, Any] | None) -> dict[str, Any]:
    return {**present, "endpoints": [{**endpoint, "policy": policy} for endpoint in present["endpoints"]]}


@pytest.mark.usefixtures("made")
def test_a_policy_comes_changes_drifts_and_goes(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    def policies() -> list[dict[str, Any]]:
        return [json.loads(one["PolicyDocument"])["Statement"][0] for one in read_state().values()]

    assert all("Condition" not in statement for statement in policies())
    for policy in (own_account_only("ResourceAccount"), own_account_only("ResourceAccount", "PrincipalAccount")):
        changed = support.change_once(run_module, MODULE, with_policy(present, policy), read_state)
        assert support.side(changed, "after")[f"{present['name']}-s3"]["policy"] == policy
        assert policies() == policy["Statement"] * 3
    # The same in other words is no change: IAM takes a list of one for its member, and in any order.
    [statement] = policy["Statement"]
    same = {**policy, "Statement": [{**statement, "Action": ["*"], "Principal": {"AWS": "*"}}]}
    assert not run_module(MODULE, with_policy(present, same))["changed"]
    assert not run_module(MODULE, present)["changed"], "a policy that is not asked for is left alone"
    endpoint = read_state()["com.amazonaws.eu-west-1.sqs"]["VpcEndpointId"]
    aws("ec2").modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    support.change_once(run_module, MODULE, with_policy(present, policy), read_state)
    support.change_once(run_module, MODULE, with_policy(present, {}), read_state)
    assert all("Condition" not in statement for statement in policies())


def test_ladder_with_policies(
    run_module: support.RunModule,
    present: dict[str, Any],
    absent: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    policy = own_account_only("ResourceAccount")
    rungs = support.climb(run_module, MODULE, with_policy(present, policy), absent, read_state)
    assert rungs.predicted["diff"] == rungs.applied["diff"]
    assert support.side(rungs.applied, "after")[f"{present['name']}-sqs"]["policy"] == policy
    assert rungs.applied["without_policy"] == []


def test_a_service_without_policies_gets_none(
    run_module: support.RunModule,
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    service = {"service": "transfer.server", "policy": own_account_only("ResourceAccount")}
    made = run_module(MODULE, {**present, "endpoints": [service]})
    assert made["without_policy"] == ["transfer.server"]
    assert "Condition" not in read_state()["com.amazonaws.eu-west-1.transfer.server"]["PolicyDocument"]
    assert not run_module(MODULE, {**present, "endpoints": [service]})["changed"]
    run_module(MODULE, {**present, "endpoints": [{**service, "state": "absent"}]})


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    "policy",
    [
        {"Version": "2012-10-17"},
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
        {**own_account_only("ResourceAccount"), "Version": "2020-01-01"},
        {"Statement": [{"Effect": "Permit", "Principal": "*", "Action": "*", "Resource": "*"}]},
        {"Statement": [{**own_account_only()["Statement"][0], "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}]},
    ],
)
def test_a_malformed_policy_is_refused_as_aws_does(
    run_module: support.RunModule, present: dict[str, Any], policy: dict[str, Any]
) -> None:
    with pytest.raises(support.ModuleFailedError, match="Policy Document is not valid"):
        run_module(MODULE, with_policy(present, policy))


def test_a_new_endpoint_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pending:
        """One endpoint that becomes available at the third look, or never."""

        def __init__(self, states: list[str]) -> None:
            self.states = states

        def get_paginator(self, _operation: str) -> Any:
            return self

        def paginate(self, **_filters: Any) -> Any:
            return self

        def build_full_result(self) -> dict[str, Any]:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            one = {"VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "ServiceName": "sqs", "State": state}
            return {"VpcEndpoints": [one]}

    monkeypatch.setattr(ec2_endpoints, "WAIT_DELAY_SECONDS", 0.01)
    ec2_endpoints.wait_until_available(Pending(["pending", "Pending", "Available"]), "vpc-1", ["vpce-1"])
    ec2_endpoints.wait_until_gone(Pending(["deleting", "deleted"]), "vpc-1", "sqs")
    monkeypatch.setattr(ec2_endpoints, "WAIT_TIMEOUT_SECONDS", 0.02)
    with pytest.raises(AnsibleAWSError, match=r"not available after ten minutes: vpce-1 \(pending\)"):
        ec2_endpoints.wait_until_available(Pending(["pending"]), "vpc-1", ["vpce-1"])
    with pytest.raises(AnsibleAWSError, match="still being deleted"):
        ec2_endpoints.wait_until_gone(Pending(["deleting"]), "vpc-1", "sqs")


def test_security_groups_are_compared_when_the_answer_tells_them() -> None:
    told = {"SubnetIds": ["subnet-1"], "Groups": [{"GroupId": "sg-2"}, {"GroupId": "sg-1"}]}
    assert ec2_endpoints.held_by(told, "Interface") == {
        "subnet_ids": ["subnet-1"],
        "security_group_ids": ["sg-1", "sg-2"],
    }
    assert ec2_endpoints.held_by({"SubnetIds": []}, "Interface") == {"subnet_ids": []}
