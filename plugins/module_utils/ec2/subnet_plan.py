# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the subnets of a network go: their zones and their ranges. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import Network, name_of

TIERS = ("public", "private")
# The range of a VPC is cut into 16 parts: public subnets are sixteenths of the first one, private subnets are the third
# part and those after it.
PRIVATE_BITS = 4
PUBLIC_BITS = 8
FIRST_PRIVATE = 2
# A load balancer needs a /27.
LONGEST_PREFIX = 27 - PUBLIC_BITS


def subnet_cidrs(cidr: str, tier: str, count: int, given: Sequence[str] | None) -> list[str]:
    """The ranges of a tier's subnets: those given, else derived from the VPC's, the same on each run.

    AnsibleAWSError when as many as zones are not given, or the VPC's range is too small to derive from.
    """
    if given:
        if len(given) != count:
            message = f"{count} availability zones need {count} {tier}_subnet_cidrs, not {len(given)}"
            raise AnsibleAWSError(message=message)
        return list(given)
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise AnsibleAWSError(message=f"{cidr!r} is not an IPv4 range: {error}") from error
    if network.prefixlen > LONGEST_PREFIX:
        message = f"{cidr} is too small to derive subnet ranges from it (/{LONGEST_PREFIX} or larger is needed)"
        raise AnsibleAWSError(message=f"{message}: give public_subnet_cidrs and private_subnet_cidrs")
    parts = list(network.subnets(prefixlen_diff=PRIVATE_BITS))
    if tier == "private":
        return [str(part) for part in parts[FIRST_PRIVATE : FIRST_PRIVATE + count]]
    public = parts[0].subnets(new_prefix=network.prefixlen + PUBLIC_BITS)
    return [str(next(public)) for _each in range(count)]


def used_zones(network: Network, count: int) -> list[str | None]:
    """The zone of the existing subnets at each place; None where there is none."""
    found: list[str | None] = []
    for index in range(count):
        subnets = (network.subnets.get(name_of(network.name, tier, index)) for tier in TIERS)
        found.append(next((str(subnet["AvailabilityZone"]) for subnet in subnets if subnet), None))
    return found


def zones_of(network: Network, wanted: Sequence[str], count: int, region: Sequence[str]) -> list[str]:
    """The zones of the subnets: those asked for, else those in use, else the first of the region's.

    ``region`` may be empty when all zones are in use. AnsibleAWSError when there are too few or the count shrinks.
    """
    if wanted and len(wanted) != count:
        raise AnsibleAWSError(message=f"{count} availability zones are required, but {len(wanted)} are given: {wanted}")
    surplus = [name for tier in TIERS if (name := name_of(network.name, tier, count)) in network.subnets]
    if surplus:
        message = (
            f"The number of availability zones cannot be reduced to {count}: {network.name} has {' and '.join(surplus)}"
        )
        raise AnsibleAWSError(message=message)
    if wanted:
        return list(wanted)
    used = used_zones(network, count)
    free = [zone for zone in region if zone not in used]
    zones = [zone or (free.pop(0) if free else "") for zone in used]
    if not all(zones):
        raise AnsibleAWSError(message=f"The region has fewer than {count} availability zones")
    return zones
