# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ec2_security_groups against an emulator: groups that name each other, drift, removal, and the default group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2 import resources as ec2_common
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2 import security_group_rules as ec2_rules
from ansible_collections.sm2a.airflow.tests.support import modules as support
from botocore.exceptions import ClientError

MODULE = "ec2_security_groups"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    return local_aws_endpoint


@pytest.fixture
def vpc_id(aws: Callable[[str], Any]) -> Iterator[str]:
    ec2 = aws("ec2")
    identifier = str(ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"])
    yield identifier
    ec2.delete_vpc(VpcId=identifier)


@pytest.fixture
def present(vpc_id: str) -> dict[str, Any]:
    """Two groups that name each other, and one that names itself."""
    return {
        "vpc_id": vpc_id,
        "tags": {"team": "data"},
        "groups": [
            {
                "name": "application",
                "description": "Application",
                "ingress": [{"ports": [8080, 8793], "groups": ["front", "application"]}],
                "egress": [{"ports": [443], "cidrs": ["0.0.0.0/0"]}],
            },
            {
                "name": "front",
                "description": "Front",
                "ingress": [{"ports": [443, 80], "cidrs": ["0.0.0.0/0", "192.0.2.0/24"]}],
                "egress": [{"ports": [8080], "groups": ["application"]}],
            },
        ],
    }


@pytest.fixture
def absent(present: dict[str, Any]) -> dict[str, Any]:
    return {**present, "groups": [{"name": name, "state": "absent"} for name in ("application", "front")]}


@pytest.fixture
def read_state(aws: Callable[[str], Any], vpc_id: str) -> Callable[[], dict[str, Any]]:
    """The groups of the VPC other than the default one, by name."""
    ec2 = aws("ec2")

    def read() -> dict[str, Any]:
        groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["SecurityGroups"]
        return {group["GroupName"]: group for group in groups if group["GroupName"] != "default"}

    return read


def test_ladder(own_ladder: Callable[..., support.Ladder]) -> None:
    rungs = own_ladder()
    assert rungs.predicted["diff"] == rungs.applied["diff"]
    assert support.side(rungs.applied, "after")["application"]["ingress"] == [
        "tcp 8080 application",
        "tcp 8080 front",
        "tcp 8793 application",
        "tcp 8793 front",
    ]
    assert support.side(rungs.applied, "after")["front"]["egress"] == ["tcp 8080 application"]
    assert set(rungs.repeated["group_ids"]) == {"application", "front"}
    assert rungs.predicted["group_ids"]["front"] == "sg-00000000000000001"


@pytest.mark.usefixtures("made")
def test_rules_really_written(read_state: Callable[[], dict[str, Any]]) -> None:
    groups = read_state()
    [egress] = groups["front"]["IpPermissionsEgress"]
    assert (egress["FromPort"], egress["ToPort"], egress["IpProtocol"]) == (8080, 8080, "tcp")
    assert [pair["GroupId"] for pair in egress["UserIdGroupPairs"]] == [groups["application"]["GroupId"]]


def test_foreign_rules_are_predicted_and_removed(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], made: support.Result
) -> None:
    ec2 = aws("ec2")
    group_id = made["group_ids"]["front"]
    stray = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[stray])
    ec2.authorize_security_group_egress(GroupId=group_id, IpPermissions=[everything])
    wanted = present["groups"][1]["ingress"]
    assert len(wanted) == 1

    predicted = run_module(MODULE, present, check=True)
    applied = run_module(MODULE, present)
    assert predicted["diff"] == applied["diff"]
    assert "tcp 22 0.0.0.0/0" in support.side(applied, "before")["front"]["ingress"]
    assert "-1 all 0.0.0.0/0" in support.side(applied, "before")["front"]["egress"]
    assert not run_module(MODULE, present)["changed"]


@pytest.mark.usefixtures("made")
def test_a_direction_that_is_not_given_is_left_alone(run_module: support.RunModule, present: dict[str, Any]) -> None:
    silent = {**present, "groups": [{"name": "front", "description": "Front"}], "tags": None}
    assert not run_module(MODULE, silent)["changed"]
    emptied = {**present, "groups": [{"name": "front", "description": "Front", "egress": []}]}
    assert support.side(run_module(MODULE, emptied), "after")["front"]["egress"] == []


@pytest.mark.usefixtures("made")
def test_one_of_two_that_name_each_other_is_removed(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    only_application = {**present, "groups": [{"name": "front", "state": "absent"}]}
    assert run_module(MODULE, only_application)["changed"]
    left = read_state()
    assert set(left) == {"application"}
    pairs = [pair for one in left["application"]["IpPermissions"] for pair in one["UserIdGroupPairs"]]
    assert {pair["GroupId"] for pair in pairs} == {left["application"]["GroupId"]}


def test_default_group_is_emptied(
    run_module: support.RunModule, aws: Callable[[str], Any], present: dict[str, Any], absent: dict[str, Any]
) -> None:
    ec2 = aws("ec2")
    options = {**present, "empty_default_group": True}
    predicted = run_module(MODULE, options, check=True)
    assert run_module(MODULE, options)["diff"] == predicted["diff"]
    filters = [{"Name": "vpc-id", "Values": [present["vpc_id"]]}, {"Name": "group-name", "Values": ["default"]}]
    [default] = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    assert default["IpPermissions"] == []
    assert default["IpPermissionsEgress"] == []
    assert not run_module(MODULE, options)["changed"]
    run_module(MODULE, absent)


def test_check_mode_before_the_vpc_exists(run_module: support.RunModule, present: dict[str, Any]) -> None:
    fresh = {**present, "vpc_id": "vpc-00000000000000000", "empty_default_group": True}
    predicted = run_module(MODULE, fresh, check=True)
    assert predicted["changed"]
    assert len(set(predicted["group_ids"].values())) == 2


def test_an_unknown_group_is_named(run_module: support.RunModule, present: dict[str, Any]) -> None:
    rule = {"ports": [80], "groups": ["nobody"]}
    wrong = {**present, "groups": [{"name": "application", "description": "Application", "ingress": [rule]}]}
    with pytest.raises(support.ModuleFailedError, match="nobody"):
        run_module(MODULE, wrong, check=True)


def test_rules_to_the_prefix_list_of_a_service(
    run_module: support.RunModule, aws: Callable[[str], Any], vpc_id: str
) -> None:
    rule = {"ports": [443], "services": ["s3"]}
    listed: dict[str, Any] = {"name": "listed", "description": "Listed"}
    options = {"vpc_id": vpc_id, "groups": [{**listed, "egress": [rule]}]}
    assert support.side(run_module(MODULE, options), "after")["listed"]["egress"] == ["tcp 443 s3"]
    assert not run_module(MODULE, options, check=True)["changed"]
    name = "com.amazonaws.eu-west-1.s3"
    filters = [{"Name": "prefix-list-name", "Values": [name]}]
    [known] = aws("ec2").describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
    [group] = aws("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": ["listed"]}])[
        "SecurityGroups"
    ]
    [permission] = group["IpPermissionsEgress"]
    assert [one["PrefixListId"] for one in permission["PrefixListIds"]] == [known["PrefixListId"]]
    unknown = {**options, "groups": [{**listed, "egress": [{"ports": [443], "services": ["sqs"]}]}]}
    with pytest.raises(support.ModuleFailedError, match="AWS has no managed prefix list for: sqs"):
        run_module(MODULE, unknown, check=True)
    emptied = {**options, "groups": [{**listed, "egress": []}]}
    before = support.side(run_module(MODULE, emptied), "before")
    assert before["listed"]["egress"] == [f"tcp 443 {known['PrefixListId']}"]
    run_module(MODULE, {**options, "groups": [{"name": "listed", "state": "absent"}]})


@pytest.mark.usefixtures("made")
def test_rules_can_be_added_before_others_are_removed(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    front = {**present["groups"][1], "egress": [{"ports": [8443], "groups": ["application"]}]}
    other = {**present, "groups": [present["groups"][0], front]}
    added = run_module(MODULE, {**other, "purge_rules": False})
    assert added["changed"]
    assert added["surplus_rules"] == 1
    assert support.side(added, "after")["front"]["egress"] == ["tcp 8080 application", "tcp 8443 application"]
    again = run_module(MODULE, {**other, "purge_rules": False})
    assert (again["changed"], again["surplus_rules"]) == (False, 1)
    purged = run_module(MODULE, other)
    assert (purged["changed"], purged["surplus_rules"]) == (True, 0)
    assert [one["FromPort"] for one in read_state()["front"]["IpPermissionsEgress"]] == [8443]


def test_groups_of_others_are_refused_and_not_removed(
    run_module: support.RunModule, aws: Callable[[str], Any], vpc_id: str, read_state: Callable[[], dict[str, Any]]
) -> None:
    foreign = aws("ec2").create_security_group(GroupName="theirs", Description="Theirs", VpcId=vpc_id)["GroupId"]
    lookup = {"vpc_id": vpc_id, "lookup_tags": {"sm2a:environment": "mine"}}
    with pytest.raises(support.ModuleFailedError, match=f"sm2a:environment=mine: theirs .{foreign}"):
        run_module(MODULE, {**lookup, "groups": [{"name": "theirs", "description": "Mine"}]}, check=True)
    assert not run_module(MODULE, {**lookup, "groups": [{"name": "theirs", "state": "absent"}]})["changed"]
    assert set(read_state()) == {"theirs"}
    mine = {**lookup, "groups": [{"name": "mine", "description": "Mine"}]}
    assert run_module(MODULE, mine)["changed"]
    assert {"Key": "sm2a:environment", "Value": "mine"} in read_state()["mine"]["Tags"]
    other = {**lookup, "groups": [{"name": "other", "state": "absent"}]}
    assert run_module(MODULE, other)["unlisted"] == ["mine"]
    run_module(MODULE, {**lookup, "groups": [{"name": "mine", "state": "absent"}]})
    aws("ec2").delete_security_group(GroupId=foreign)


def test_removal_names_the_interfaces_that_use_a_group(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    absent: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ec2_common, "INTERFACE_POLL_SECONDS", 0.05)
    monkeypatch.setattr(ec2_common, "INTERFACE_TIMEOUT_SECONDS", 0)
    ec2 = aws("ec2")
    made = run_module(MODULE, present)["group_ids"]
    subnet = ec2.create_subnet(VpcId=present["vpc_id"], CidrBlock="10.2.0.0/24")["Subnet"]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet, Groups=[made["front"]], Description="RDSNetworkInterface")
    interface_id = interface["NetworkInterface"]["NetworkInterfaceId"]
    with pytest.raises(support.ModuleFailedError, match=f"application, front: {interface_id} .RDSNetworkInterface"):
        run_module(MODULE, absent)
    ec2.delete_network_interface(NetworkInterfaceId=interface_id)
    assert run_module(MODULE, absent)["changed"]
    ec2.delete_subnet(SubnetId=subnet)


def test_rules_of_a_lost_reply_are_no_error() -> None:
    class Repeated:
        """Every call of several rules answers that one is there already; single ones are refused once."""

        def __init__(self) -> None:
            self.calls: list[int] = []

        def authorize_security_group_ingress(self, GroupId: str, IpPermissions: list[Any]) -> None:  # noqa: N803
            self.calls.append(len(IpPermissions))
            if len(self.calls) < 3:
                raise ClientError({"Error": {"Code": "InvalidPermission.Duplicate"}}, "AuthorizeSecurityGroupIngress")

    ec2 = Repeated()
    ec2_rules.authorize(ec2, "ingress", "sg-1", {("tcp", 1, 1, "192.0.2.0/24"), ("tcp", 2, 2, "192.0.2.0/24")})
    assert ec2.calls == [2, 1, 1]
