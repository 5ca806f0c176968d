# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What EC2 refuses of networks: ranges, groups, ports, rule numbers, flow logs and tags. Its model has no limits.

A range with bits beyond its length is not refused: EC2 keeps it without them (API_CreateVpc).
"""

from __future__ import annotations

import ipaddress
import re

from sm2a_local_aws.limits.rules.checks import among, each, inside, mappings, named, number, text, within
from sm2a_local_aws.limits.rules.table import Parameters, Problem, Rule

REFERENCE = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/vpc/latest/userguide/"
GROUP = f"{REFERENCE}API_CreateSecurityGroup.html"
CODE = "InvalidParameterValue"

LARGEST, SMALLEST = 16, 28
GROUP_CHARACTERS = r"A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*"
DESCRIPTION = (
    "Invalid {kind} description. Valid descriptions are strings less than 256 characters from the following set:  "
    "a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*"
)
NAME = (
    "Value ({value}) for parameter {parameter} is invalid. Group names may not be in the format sg-*, or be longer "
    "than 255 characters"
)
WITH_PORTS = ("tcp", "udp", "6", "17")
PORTS = range(65536)
UNSET = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."
UNSET_IN_ENTRY = "The parameter PortRange must be specified for the protocols 6 (TCP) and 17 (UDP)"
MOST_TAGS = 50
DESCRIBED = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")


def _network(cidr: str) -> ipaddress.IPv4Network | None:
    """The range, or None for a text that is none with a length."""
    try:
        return ipaddress.IPv4Network(cidr, strict=False) if re.search(r"/\d+$", cidr) else None
    except ValueError:
        return None


def _range(parameter: str) -> Problem:
    spelled = parameter[0].lower() + parameter[1:]

    def problem(parameters: Parameters) -> str | None:
        cidr = text(parameters, parameter)
        if not cidr or _network(cidr):
            return None
        return f"Value ({cidr}) for parameter {spelled} is invalid. This is not a valid CIDR block."

    return problem


def _size(parameters: Parameters) -> str | None:
    cidr = text(parameters, "CidrBlock")
    network = _network(cidr)
    if network is None or LARGEST <= network.prefixlen <= SMALLEST:
        return None
    return f"The CIDR '{cidr}' is invalid."


def _permission_ranges(permission: Parameters) -> str | None:
    for entry in mappings(permission, "IpRanges"):
        if not _network(text(entry, "CidrIp")):
            return f"CIDR block {text(entry, 'CidrIp')} is malformed"
    return None


def _order(first: int, last: int) -> str | None:
    if first in PORTS and last in PORTS and first <= last:
        return None
    return f"Invalid TCP/UDP port range ({first}:{last})"


def _permission_ports(permission: Parameters) -> str | None:
    if text(permission, "IpProtocol") not in WITH_PORTS:
        return None
    first, last = number(permission, "FromPort"), number(permission, "ToPort")
    return UNSET if first is None or last is None else _order(first, last)


def _permission_descriptions(permission: Parameters) -> str | None:
    allowed = rf"[{GROUP_CHARACTERS}]{{0,255}}"
    problem = named("Description", allowed, DESCRIPTION.replace("{kind}", "rule"))
    found = (problem(entry) for kind in DESCRIBED for entry in mappings(permission, kind))
    return next((sentence for sentence in found if sentence), None)


def _entry_ports(entry: Parameters) -> str | None:
    if text(entry, "Protocol") not in WITH_PORTS:
        return None
    ports = inside(entry, "PortRange")
    first, last = number(ports, "From"), number(ports, "To")
    return UNSET_IN_ENTRY if first is None or last is None else _order(first, last)


def _too_many_tags(parameters: Parameters) -> str | None:
    sets = [mappings(parameters, "Tag"), mappings(parameters, "Tags")]
    sets += [mappings(one, "Tags") for one in mappings(parameters, "TagSpecifications")]
    return f"More than {MOST_TAGS} tags specified" if any(len(tags) > MOST_TAGS for tags in sets) else None


AUTHORIZED = ("AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress")
ENTRIES = ("CreateNetworkAclEntry", "ReplaceNetworkAclEntry")
ROUTES = ("CreateRoute", "ReplaceRoute")
TAGGED = (
    "CreateFlowLogs",
    "CreateInternetGateway",
    "CreateNatGateway",
    "CreateNetworkAcl",
    "CreateRouteTable",
    "CreateSecurityGroup",
    "CreateSubnet",
    "CreateTags",
    "CreateVpc",
    "CreateVpcEndpoint",
)
RULES = (
    Rule(("CreateVpc", "CreateSubnet"), _range("CidrBlock"), CODE, f"{REFERENCE}API_CreateVpc.html"),
    Rule(("CreateVpc",), _size, "InvalidVpc.Range", f"{GUIDE}vpc-cidr-blocks.html"),
    Rule(("CreateSubnet",), _size, "InvalidSubnet.Range", f"{GUIDE}subnet-sizing.html"),
    Rule(ROUTES, _range("DestinationCidrBlock"), CODE, f"{REFERENCE}API_CreateRoute.html"),
    Rule(
        ("CreateSecurityGroup",),
        named("GroupName", rf"[{GROUP_CHARACTERS}]{{1,255}}", NAME, "sg-.*", "default"),
        CODE,
        GROUP,
    ),
    Rule(
        ("CreateSecurityGroup",),
        named(
            "Description",
            rf"[{GROUP_CHARACTERS}]{{1,255}}",
            DESCRIPTION.replace("{kind}", "security group"),
        ),
        CODE,
        GROUP,
    ),
    Rule(AUTHORIZED, each("IpPermissions", _permission_ranges), CODE, f"{REFERENCE}API_IpRange.html"),
    Rule(AUTHORIZED, each("IpPermissions", _permission_ports), CODE, f"{REFERENCE}API_IpPermission.html"),
    Rule(AUTHORIZED, each("IpPermissions", _permission_descriptions), CODE, f"{REFERENCE}API_IpRange.html"),
    Rule(
        ENTRIES,
        within(
            "RuleNumber",
            1,
            32766,
            "Value ({value}) for parameter ruleNumber is invalid. Rulenumber must be in range {least}..{most}",
        ),
        CODE,
        f"{REFERENCE}API_CreateNetworkAclEntry.html",
    ),
    Rule(ENTRIES, _range("CidrBlock"), CODE, f"{REFERENCE}API_CreateNetworkAclEntry.html"),
    Rule(ENTRIES, _entry_ports, CODE, f"{REFERENCE}API_CreateNetworkAclEntry.html"),
    Rule(
        ("CreateFlowLogs",),
        among("MaxAggregationInterval", (60, 600), "Invalid Flow Log Max Aggregation Interval"),
        "InvalidParameter",
        f"{REFERENCE}API_CreateFlowLogs.html",
    ),
    Rule(
        TAGGED,
        _too_many_tags,
        "TagLimitExceeded",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html",
    ),
)
