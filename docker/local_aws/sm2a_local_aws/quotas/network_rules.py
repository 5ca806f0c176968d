# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What calls of EC2 take of the quotas of networks."""

from __future__ import annotations

from collections.abc import Callable

from sm2a_local_aws.quotas import usage
from sm2a_local_aws.quotas.rule import Parameters, Rule, Rules


def _reached(what: str) -> str:
    """Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. Users quote the texts."""
    return f"The maximum number of {what} has been reached."


def _new_rules(direction: str) -> Callable[[Parameters], float]:
    def takes(parameters: Parameters) -> float:
        asked = usage.rules_of(parameters.get("IpPermissions") or [])
        return len(asked - usage.rules(str(parameters.get("GroupId")), direction))

    return takes


def _of_kind(kind: str) -> Callable[[Parameters], float]:
    return lambda parameters: 1 if (parameters.get("VpcEndpointType") or "Gateway") == kind else 0


_ENDPOINTS = ("VpcEndpointLimitExceeded", _reached("VPC endpoints"))
_RULES = ("L-0EA8095F", "RulesPerSecurityGroupLimitExceeded", _reached("rules per security group"))

RULES: Rules = {
    ("ec2", "CreateVpc"): (Rule("L-F678F1CE", "VpcLimitExceeded", _reached("VPCs"), lambda _: usage.vpcs()),),
    ("ec2", "CreateInternetGateway"): (
        Rule(
            "L-A4707A72",
            "InternetGatewayLimitExceeded",
            _reached("internet gateways"),
            lambda _: usage.internet_gateways(),
        ),
    ),
    ("ec2", "AllocateAddress"): (
        Rule("L-0263D0A3", "AddressLimitExceeded", _reached("addresses"), lambda _: usage.addresses()),
    ),
    # https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
    ("ec2", "CreateNatGateway"): (
        Rule(
            "L-FE5A380F",
            "NatGatewayLimitExceeded",
            "Performing this operation would exceed the limit of {value} NAT gateways",
            lambda given: usage.nat_gateways(usage.zone_of_subnet(str(given.get("SubnetId")))),
        ),
    ),
    ("ec2", "CreateVpcEndpoint"): (
        Rule(
            "L-29B6F2EB",
            *_ENDPOINTS,
            lambda given: usage.interface_endpoints(str(given.get("VpcId"))),
            _of_kind("Interface"),
        ),
        Rule("L-1B52E74A", *_ENDPOINTS, lambda _: usage.gateway_endpoints(), _of_kind("Gateway")),
    ),
    ("ec2", "CreateSecurityGroup"): (
        Rule(
            "L-E79EC296", "SecurityGroupLimitExceeded", _reached("security groups"), lambda _: usage.security_groups()
        ),
    ),
    ("ec2", "AuthorizeSecurityGroupIngress"): (
        Rule(
            *_RULES,
            lambda given: len(usage.rules(str(given.get("GroupId")), "IpPermissions")),
            _new_rules("IpPermissions"),
        ),
    ),
    ("ec2", "AuthorizeSecurityGroupEgress"): (
        Rule(
            *_RULES,
            lambda given: len(usage.rules(str(given.get("GroupId")), "IpPermissionsEgress")),
            _new_rules("IpPermissionsEgress"),
        ),
    ),
    ("ec2", "CreateSubnet"): (
        Rule(
            "L-407747CB",
            "SubnetLimitExceeded",
            _reached("subnets"),
            lambda given: usage.subnets(str(given.get("VpcId"))),
        ),
    ),
}
