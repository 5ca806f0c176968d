# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The EC2 modules while EC2 does not know yet what it has just made (tests/unit/plugins/lag.py)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2 import resources as ec2
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation import memory
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins.lag import Lag, refusal
from ansible_collections.sm2a.airflow.tests.unit.plugins.lost_replies import lose_replies
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

UNKNOWN_VPC = "vpc-0badbadbadbadbad0"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    return local_aws_endpoint


@pytest.fixture
def network(unique_name: str) -> dict[str, Any]:
    """Arguments of ec2_vpc_network."""
    return {
        "name": unique_name,
        "lookup_tags": {"sm2a:environment": unique_name},
        "cidr": "10.90.0.0/16",
        "nat_gateways": "per_zone",
        "network_acls": [{"tier": "public", "ports": ["443"]}, {"tier": "private", "ports": ["1024-3388"]}],
    }


def groups(vpc_id: str) -> dict[str, Any]:
    """Arguments of ec2_security_groups: two groups that name each other, and no way out."""
    rules = {name: {"ingress": [{"ports": [5432], "groups": [other]}], "egress": []} for name, other in ("ab", "ba")}
    return {"vpc_id": vpc_id, "groups": [{"name": name, "description": name, **rules[name]} for name in "ab"]}


def endpoints(made: dict[str, Any], group_ids: dict[str, str]) -> dict[str, Any]:
    """Arguments of ec2_vpc_endpoints."""
    return {
        "vpc_id": made["vpc_id"],
        "name": made["name"],
        "endpoints": [{"service": "s3", "type": "Gateway"}, {"service": "sqs"}],
        "route_table_ids": made["private_route_table_ids"],
        "subnet_ids": made["private_subnet_ids"],
        "security_group_ids": sorted(group_ids.values()),
        "wait": False,
    }


def flow_log(made: dict[str, Any]) -> dict[str, Any]:
    """Arguments of ec2_flow_logs."""
    role = f"arn:aws:iam::{support.ACCOUNT}:role/flow-logs"
    return {"name": made["name"], "vpc_id": made["vpc_id"], "log_group_name": "/logs", "role_arn": role}


def converges(run_module: support.RunModule, name: str, args: dict[str, Any]) -> support.Result:
    """Run twice: the first run changes something, the second one nothing. The second result."""
    assert run_module(name, args)["changed"]
    again = run_module(name, args)
    assert not again["changed"], again["diff"]
    return again


def test_new_ids_are_waited_for(
    run_module: support.RunModule, network: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lag = Lag(monkeypatch)
    made = converges(run_module, "ec2_vpc_network", network)["network"]
    assert {
        "AssociateRouteTable",
        "AttachInternetGateway",
        "CreateNatGateway",
        "CreateNetworkAclEntry",
        "CreateRoute",
        "DescribeSubnets",
        "DescribeVpcs",
        "ModifyVpcAttribute",
        "ReplaceNetworkAclAssociation",
    } <= set(lag.refused)
    lag.refused.clear()
    group_ids = converges(run_module, "ec2_security_groups", groups(made["vpc_id"]))["group_ids"]
    assert {"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupEgress"} <= set(lag.refused)
    converges(run_module, "ec2_vpc_endpoints", endpoints(made, group_ids))
    converges(run_module, "ec2_flow_logs", flow_log(made))
    assert max(lag.slept) <= memory.LONGEST_PAUSE


def test_late_lists_of_associations_are_looked_at_again(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    network: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lag = Lag(monkeypatch, late_lists=True)
    more = {**network, "availability_zone_count": 3}
    for arguments in (network, more, {**more, "network_acls": []}):
        lag.stale.clear()
        assert run_module("ec2_vpc_network", arguments)["changed"]
        assert "DescribeNetworkAcls" in lag.stale
        again = run_module("ec2_vpc_network", arguments)
        assert not again["changed"], again["diff"]
    assert lag.actions.count("ReplaceNetworkAclAssociation") > 12, "no move was tried in vain"
    vpcs = aws("ec2").describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [network["name"]]}])["Vpcs"]
    acls = aws("ec2").describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpcs[0]["VpcId"]]}])["NetworkAcls"]
    assert [len(acl["Associations"]) for acl in acls] == [6]


@pytest.mark.parametrize(
    "action",
    ["AssociateRouteTable", "CreateNetworkAclEntry", "CreateRoute", "ReplaceNetworkAclAssociation"],
)
def test_a_lost_reply_leaves_nothing_to_change(
    run_module: support.RunModule, network: dict[str, Any], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    lost = lose_replies(monkeypatch, f"Action={action}")
    converges(run_module, "ec2_vpc_network", network)
    assert len(lost) == 1


@pytest.mark.parametrize("action", ["CreateSecurityGroup", "CreateVpcEndpoint", "CreateFlowLogs"])
def test_what_another_module_made_is_waited_for(
    run_module: support.RunModule, network: dict[str, Any], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """The module that made it is another process: all that this one knows is that EC2 lists it."""
    made = run_module("ec2_vpc_network", network)["network"]
    name, arguments, missing = {
        "CreateSecurityGroup": ("ec2_security_groups", groups(made["vpc_id"]), made["vpc_id"]),
        "CreateVpcEndpoint": ("ec2_vpc_endpoints", endpoints(made, {}), made["private_subnet_ids"][0]),
        "CreateFlowLogs": ("ec2_flow_logs", flow_log(made), made["vpc_id"]),
    }[action]
    refused = refuse(monkeypatch, action, missing, times=2)
    monkeypatch.setattr(memory, "PAUSES", (0.01, 0.01))
    converges(run_module, name, arguments)
    assert len(refused) == 2


@pytest.mark.parametrize("name", ["ec2_security_groups", "ec2_vpc_endpoints", "ec2_flow_logs"])
def test_an_id_that_ec2_never_told_of_fails_at_once(
    run_module: support.RunModule, network: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    lag = Lag(monkeypatch, calls=0)
    made = {**run_module("ec2_vpc_network", network)["network"], "name": "unknown"}
    wrong, missing = {
        "ec2_security_groups": (groups(UNKNOWN_VPC), UNKNOWN_VPC),
        "ec2_vpc_endpoints": (endpoints({**made, "private_subnet_ids": ["subnet-0badbad0"]}, {}), "subnet-0badbad0"),
        "ec2_flow_logs": (flow_log({**made, "vpc_id": UNKNOWN_VPC}), UNKNOWN_VPC),
    }[name]
    refused = refuse(monkeypatch, "Create(SecurityGroup|VpcEndpoint|FlowLogs)", missing)
    lag.slept.clear()
    with pytest.raises(support.ModuleFailedError, match=rf"Failed to create .*{missing}' does not exist"):
        run_module(name, wrong)
    assert (len(refused), lag.slept) == (1, [])


def test_the_wait_ends_after_two_minutes(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    lag = Lag(monkeypatch, calls=1000)
    client = aws("ec2")
    memory.Memory(lambda _service: client).attach(client)
    vpc_id = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    with pytest.raises(ClientError, match=f"{vpc_id}' does not exist"):
        client.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")
    assert sum(lag.slept) == 120


def test_a_removal_that_finds_nothing_is_not_repeated(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lag = Lag(monkeypatch)
    client = aws("ec2")
    memory.Memory(lambda _service: client).attach(client)
    vpc_id = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    refused = refuse(monkeypatch, "DeleteVpc", vpc_id)
    with pytest.raises(ClientError, match=f"{vpc_id}' does not exist"):
        client.delete_vpc(VpcId=vpc_id)
    assert (len(refused), lag.slept) == (1, [])
    client.delete_vpc(VpcId=vpc_id)


def refused(code: str) -> Callable[[], None]:
    """A call that AWS refuses."""

    def call() -> None:
        raise ClientError({"Error": {"Code": code}}, "Write")

    return call


@pytest.mark.parametrize(("there", "replace"), [(False, "works"), (True, "Missing"), (True, "works")])
def test_a_list_that_was_late_decides_nothing(there: bool, replace: str) -> None:
    done: list[str] = []
    ec2.create_or_replace(
        refused("Exists") if replace == "works" else lambda: done.append("created"),
        refused("Missing") if replace == "Missing" else lambda: done.append("replaced"),
        there=there,
        exists=("Exists",),
        missing=("Missing",),
    )
    assert done == ["created" if replace == "Missing" else "replaced"]


@pytest.mark.parametrize(
    ("create", "replace", "there", "told"),
    [
        ("Exists", "Ambiguous", True, "Ambiguous"),
        ("Denied", "Ambiguous", True, "Denied"),
        ("Exists", "Denied", False, "Denied"),
        ("Denied", "Missing", False, "Denied"),
    ],
)
def test_the_refusal_that_tells_the_cause_is_raised(create: str, replace: str, there: bool, told: str) -> None:
    with pytest.raises(ClientError, match=told):
        ec2.create_or_replace(
            refused(create), refused(replace), there=there, exists=("Exists",), missing=("Missing", "Ambiguous")
        )


def refuse(monkeypatch: pytest.MonkeyPatch, action: str, identifier: str, times: int = 1) -> list[str]:
    """Answer the first calls of an action (a pattern) that the id does not exist; the list of them grows."""
    real, refused = URLLib3Session.send, list[str]()

    def send(session: URLLib3Session, request: Any) -> Any:
        called = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        if re.search(f"Action={action}&", called) and len(refused) < times:
            refused.append(called)
            kind = {"vpc": "Vpc", "subnet": "Subnet"}[identifier.split("-", maxsplit=1)[0]]
            return refusal(request.url, f"Invalid{kind}ID.NotFound", f"The ID '{identifier}' does not exist")
        return real(session, request)

    monkeypatch.setattr(URLLib3Session, "send", send)
    return refused
