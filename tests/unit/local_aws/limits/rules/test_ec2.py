# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What EC2 refuses and takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules import cases
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules.cases import Wrong

CODE = "InvalidParameterValue"
VPC, SUBNET, GROUP, ENTRY = "CreateVpc", "CreateSubnet", "CreateSecurityGroup", "CreateNetworkAclEntry"
INGRESS = "AuthorizeSecurityGroupIngress"
TAGS = [{"Key": f"tag{number}", "Value": ""} for number in range(51)]


def permission(protocol: str, **members: Any) -> dict[str, Any]:
    return {"IpPermissions": [{"IpProtocol": protocol, **members}]}


def described(kind: str, text: str) -> dict[str, Any]:
    return permission("-1", **{kind: [{"CidrIp": "10.0.0.0/16", "Description": text}]})


WRONG = [
    Wrong(VPC, {"CidrBlock": "10.0.0.0"}, CODE, "for parameter cidrBlock is invalid. This is not a valid CIDR block."),
    Wrong(SUBNET, {"CidrBlock": "10.0.0.0/33"}, CODE, "Value (10.0.0.0/33) for parameter cidrBlock"),
    Wrong(VPC, {"CidrBlock": "10.0.0.0/15"}, "InvalidVpc.Range", "The CIDR '10.0.0.0/15' is invalid."),
    Wrong(SUBNET, {"CidrBlock": "10.0.0.0/29"}, "InvalidSubnet.Range", "The CIDR '10.0.0.0/29' is invalid."),
    Wrong("CreateRoute", {"DestinationCidrBlock": "any"}, CODE, "parameter destinationCidrBlock"),
    Wrong(GROUP, {"GroupName": "sg-web", "Description": "d"}, CODE, "may not be in the format sg-*"),
    Wrong(GROUP, {"GroupName": "g" * 256, "Description": "d"}, CODE, "longer than 255 characters"),
    Wrong(GROUP, {"GroupName": "web", "Description": "The web's"}, CODE, "Invalid security group description."),
    Wrong(INGRESS, permission("-1", IpRanges=[{"CidrIp": "10.0.0.0/33"}]), CODE, "CIDR block 10.0.0.0/33 is malformed"),
    Wrong(INGRESS, permission("tcp", FromPort="443"), CODE, "Must specify both from and to ports with TCP/UDP."),
    Wrong(INGRESS, permission("tcp", FromPort="443", ToPort="80"), CODE, "Invalid TCP/UDP port range (443:80)"),
    Wrong(INGRESS, permission("17", FromPort="0", ToPort="65536"), CODE, "Invalid TCP/UDP port range (0:65536)"),
    Wrong("AuthorizeSecurityGroupEgress", described("IpRanges", "→"), CODE, "Invalid rule description."),
    Wrong(INGRESS, described("PrefixListIds", "d" * 256), CODE, "strings less than 256 characters"),
    Wrong(ENTRY, {"RuleNumber": "32767", "Protocol": "-1"}, CODE, "must be in range 1..32766"),
    Wrong(ENTRY, {"RuleNumber": "1", "CidrBlock": "10.0.0.0/a"}, CODE, "parameter cidrBlock"),
    Wrong(ENTRY, {"Protocol": "6"}, CODE, "PortRange must be specified"),
    Wrong(ENTRY, {"Protocol": "6", "PortRange": {"From": "2", "To": "1"}}, CODE, "port range (2:1)"),
    Wrong("CreateFlowLogs", {"MaxAggregationInterval": "300"}, "InvalidParameter", "Max Aggregation Interval"),
    Wrong("CreateTags", {"Tags": TAGS}, "TagLimitExceeded", "More than 50 tags"),
    Wrong("CreateVpcEndpoint", {"TagSpecifications": [{"Tags": TAGS}]}, "TagLimitExceeded", "More than 50 tags"),
]
RIGHT = [
    (VPC, {"CidrBlock": "10.0.0.0/16", "TagSpecifications": [{"Tags": TAGS[1:]}]}),
    # EC2 keeps it as 10.0.0.0/28.
    (SUBNET, {"CidrBlock": "10.0.0.5/28"}),
    ("CreateRoute", {"DestinationCidrBlock": "0.0.0.0/0"}),
    ("CreateRoute", {"DestinationPrefixListId": "pl-1"}),
    (GROUP, {"GroupName": "prod-load-balancer", "Description": "Of prod: a-z, A-Z & (0-9)"}),
    (INGRESS, permission("tcp", FromPort="0", ToPort="65535", IpRanges=[{"CidrIp": "10.0.0.0/8"}])),
    (INGRESS, permission("-1", UserIdGroupPairs=[{"GroupId": "sg-1", "Description": ""}])),
    (ENTRY, {"RuleNumber": "32766", "Protocol": "6", "PortRange": {"From": "22", "To": "22"}}),
    (ENTRY, {"RuleNumber": "1", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}),
    ("CreateFlowLogs", {"MaxAggregationInterval": "60"}),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_refused(wrong: Wrong) -> None:
    cases.assert_refused("ec2", wrong)


@pytest.mark.parametrize(("operation", "parameters"), RIGHT)
def test_taken(operation: str, parameters: dict[str, Any]) -> None:
    assert cases.refusals("ec2", operation, parameters) == []


def test_every_rule_refuses_something() -> None:
    assert cases.rules_without_a_case("ec2", WRONG) == []
