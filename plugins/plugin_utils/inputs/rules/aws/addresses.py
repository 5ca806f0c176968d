# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Address ranges: of security groups, and how those of the VPC and of its subnets fit together. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    each,
    items,
    member,
    of_text,
    text,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Problem, Rule, same

VPC = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"
SUBNET = "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html"
GROUP_RULE = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html"
GROUP_SUBNETS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html"
BALANCER_SUBNETS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html"
PROXIES = "https://uvicorn.dev/settings/"

LARGEST, SMALLEST = 16, 28
# How the role network divides the VPC, as module_utils/ec2/subnet_plan.py does it.
PRIVATE_BITS, PUBLIC_BITS, FIRST_PRIVATE, LONGEST_DIVISIBLE = 4, 8, 2, 19
PREFIX_LIST = re.compile(r"pl-[0-9a-f]+")
DEFAULT_CIDR, DEFAULT_ZONES = "10.90.0.0/16", 2
TIERS = ("network_public_subnet_cidrs", "network_private_subnet_cidrs")
Network = ipaddress.IPv4Network


def range_problem(value: str) -> str | None:
    """Why a rule of a security group cannot have this IPv4 or IPv6 range."""
    try:
        loose = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return f"must be a range such as 203.0.113.0/24, not {value!r}"
    if "/" not in value:
        return f"must have a length; write {f'{value}/{loose.max_prefixlen}'!r} for one address"
    if not value.partition("/")[2].isdigit():
        return f"must have its length as a number; write {str(loose)!r}, not {value!r}"
    # EC2 would keep the range without them, and every run would find another one than it asked for.
    if ipaddress.ip_interface(value).ip != loose.network_address:
        return f"must begin where its range begins; write {str(loose)!r}, not {value!r}"
    return None


def ipv4_range_problem(value: str) -> str | None:
    """Why this is no IPv4 range of a VPC or subnet."""
    if ":" in value:
        return f"must be an IPv4 range such as 10.90.0.0/16, not {value!r}"
    return range_problem(value) or _size_problem(Network(value))


def _size_problem(network: Network) -> str | None:
    if LARGEST <= network.prefixlen <= SMALLEST:
        return None
    return f"must be /{LARGEST} to /{SMALLEST} in size, not /{network.prefixlen}"


def _address_or_range(value: str) -> str | None:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return f"must be an address or a range such as 203.0.113.0/24, not {value!r}"
    return None


def _vpc_size(values: Mapping[str, Any]) -> str | None:
    cidr = text(values, "network_cidr", DEFAULT_CIDR)
    if text(values, "network_vpc_id") or ipv4_range_problem(cidr) or all(items(values, tier) for tier in TIERS):
        return None
    if Network(cidr).prefixlen <= LONGEST_DIVISIBLE:
        return None
    return (
        f"must be /{LONGEST_DIVISIBLE} or larger to be divided into subnets, not {cidr!r}; or set both "
        f"{TIERS[0]} and {TIERS[1]}"
    )


def _subnet_counts(values: Mapping[str, Any]) -> str | None:
    if text(values, "network_vpc_id"):
        return None
    zones = values.get("network_availability_zone_count") or DEFAULT_ZONES
    for option in (*TIERS, "network_availability_zones"):
        given = items(values, option)
        if given and len(given) != zones:
            return f"{option} must have {zones} entries, one for each zone, not {len(given)}"
    named = [str(zone) for zone in items(values, "network_availability_zones")]
    return f"zones must differ, not {', '.join(named)}" if len(set(named)) < len(named) else None


def _subnets_fit(values: Mapping[str, Any]) -> str | None:
    cidr = text(values, "network_cidr", DEFAULT_CIDR)
    given = {tier: [one for one in items(values, tier) if isinstance(one, str)] for tier in TIERS}
    wrong = [one for subnets in given.values() for one in subnets if ipv4_range_problem(one)]
    if text(values, "network_vpc_id") or ipv4_range_problem(cidr) or wrong or not any(given.values()):
        return None
    vpc = Network(cidr)
    outside = [one for subnets in given.values() for one in subnets if not Network(one).subnet_of(vpc)]
    if outside:
        return f"subnets must be in {cidr}, not {', '.join(outside)}"
    zones = values.get("network_availability_zone_count")
    subnets = [
        network
        for tier in TIERS
        for network in (map(Network, given[tier]) if given[tier] else _derived(vpc, tier, zones or DEFAULT_ZONES))
    ]
    both = next((f"{one} and {other}" for one, other in combinations(subnets, 2) if one.overlaps(other)), None)
    return both and f"subnets must not overlap, as {both} do; those that are not given are cut from {cidr}"


def _derived(vpc: Network, tier: str, zones: Any) -> list[Network]:
    if vpc.prefixlen > LONGEST_DIVISIBLE or zones not in (2, 3):
        return []
    parts = list(vpc.subnets(prefixlen_diff=PRIVATE_BITS))
    if tier == TIERS[1]:
        return parts[FIRST_PRIVATE : FIRST_PRIVATE + zones]
    return list(parts[0].subnets(new_prefix=vpc.prefixlen + PUBLIC_BITS))[:zones]


def _too_few(values: Mapping[str, Any], option: str, needed: bool) -> str | None:
    given = items(values, option)
    if not text(values, "network_vpc_id") or not needed or len(set(map(str, given))) >= 2:
        return None
    return f"must name two subnets or more of that VPC, in two zones, not {len(given)}"


def _few_private(values: Mapping[str, Any]) -> str | None:
    return _too_few(values, "network_private_subnet_ids", True)


def _few_public(values: Mapping[str, Any]) -> str | None:
    wanted = text(values, "load_balancer_scheme") == "internet-facing"
    return _too_few(values, "network_public_subnet_ids", wanted or bool(items(values, "network_public_subnet_ids")))


# EC2 takes a prefix list in the place of a range.
RANGES: Problem = each(of_text(lambda value: None if PREFIX_LIST.fullmatch(value) else range_problem(value)))

RULES: list[Rule] = [
    Rule("network_cidr", VPC, of_text(ipv4_range_problem)),
    *same(SUBNET, each(of_text(ipv4_range_problem)), *TIERS),
    *same(
        GROUP_RULE,
        RANGES,
        "network_https_egress_cidrs",
        "network_load_balancer_allowed_cidrs",
        "network_database_cidrs",
        "load_balancer_allowed_cidrs",
    ),
    *same(GROUP_RULE, member("cidrs", RANGES), "network_task_egress", "network_load_balancer_egress"),
    Rule("airflow_trusted_proxies", PROXIES, each(of_text(_address_or_range))),
    Rule("airflow_vpc_cidr", VPC, of_text(_address_or_range)),
    Rule("local_aws_subnet", GROUP_RULE, of_text(range_problem)),
]
JOINT_RULES: list[JointRule] = [
    JointRule(("network_cidr",), SUBNET, _vpc_size),
    JointRule((*TIERS, "network_availability_zones"), SUBNET, _subnet_counts),
    JointRule(TIERS, SUBNET, _subnets_fit),
    JointRule(("network_private_subnet_ids",), GROUP_SUBNETS, _few_private),
    JointRule(("network_public_subnet_ids",), BALANCER_SUBNETS, _few_public),
]
