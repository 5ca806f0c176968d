# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the network of an environment uses of its quotas: what is there, and what it still has to make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import (
    describe_addresses,
    describe_internet_gateways,
    describe_vpcs,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import tags_of
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import Answer, Context, Read
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.quotas import Usage

ENVIRONMENT_TAG = "sm2a:environment"
# A gateway that is being deleted counts until it is gone.
COUNTED_GATEWAYS = ("pending", "available", "deleting")
GONE_ENDPOINTS = ("deleted", "failed", "expired", "rejected")

Options = Mapping[str, Any]
Resources = Sequence[Mapping[str, Any]]


def own(resources: Resources, environment: str) -> Resources:
    """Those that carry the environment's name."""
    return [one for one in resources if tags_of(dict(one)).get(ENVIRONMENT_TAG) == environment]


def counted(resources: Resources, environment: str, wanted: int) -> Usage:
    """All of them, and how many of ``wanted`` the environment lacks."""
    return Usage(len(resources), max(0, wanted - len(own(resources, environment))))


@call("describe NAT gateways")
def _nat_gateways(ec2: Any) -> list[dict[str, Any]]:
    pages = ec2.get_paginator("describe_nat_gateways").paginate(
        Filters=[{"Name": "state", "Values": list(COUNTED_GATEWAYS)}]
    )
    return [one for page in pages for one in page["NatGateways"]]


@call("describe subnets")
def _subnet_zones(ec2: Any) -> dict[str, str]:
    pages = ec2.get_paginator("describe_subnets").paginate()
    return {one["SubnetId"]: one["AvailabilityZone"] for page in pages for one in page["Subnets"]}


@call("describe VPC endpoints")
def _endpoints(ec2: Any) -> list[dict[str, Any]]:
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate()
    found = [one for page in pages for one in page["VpcEndpoints"]]
    return [one for one in found if str(one.get("State", "")).lower() not in GONE_ENDPOINTS]


@call("describe security groups")
def _security_groups(ec2: Any) -> list[dict[str, Any]]:
    pages = ec2.get_paginator("describe_security_groups").paginate()
    return [one for page in pages for one in page["SecurityGroups"]]


def vpcs(ec2: Any, environment: str, options: Options) -> list[Usage]:
    """A VPC of its own, unless one is given."""
    return [counted(describe_vpcs(ec2, {}), environment, 0 if options["vpc_id"] else 1)]


def internet_gateways(ec2: Any, environment: str, options: Options) -> list[Usage]:
    """One in a VPC of its own."""
    return [counted(describe_internet_gateways(ec2, {}), environment, 0 if options["vpc_id"] else 1)]


def elastic_ips(ec2: Any, environment: str, options: Options) -> list[Usage]:
    """One for each NAT gateway."""
    return [counted(describe_addresses(ec2, {}), environment, options["nat_gateways"])]


def nat_gateways(ec2: Any, environment: str, options: Options, zones: Sequence[str]) -> list[Usage]:
    """Of each zone that gets one."""
    if not options["nat_gateways"]:
        return []
    gateways, subnets = _nat_gateways(ec2), _subnet_zones(ec2)
    everyone = Counter(subnets.get(one["SubnetId"], "") for one in gateways)
    owned = {subnets.get(one["SubnetId"], "") for one in own(gateways, environment)}
    return [
        Usage(everyone[zone], 0 if zone in owned else 1, where=f" ({zone})")
        for zone in zones[: options["nat_gateways"]]
    ]


def interface_endpoints(ec2: Any, environment: str, options: Options) -> list[Usage]:
    """Of the VPC that is given, or the environment's own."""
    vpc_id = options["vpc_id"] or next((one["VpcId"] for one in own(describe_vpcs(ec2, {}), environment)), None)
    there = [one for one in _endpoints(ec2) if one["VpcId"] == vpc_id and one["VpcEndpointType"] == "Interface"]
    services = {one["ServiceName"].partition(f".{ec2.meta.region_name}.")[2] for one in there}
    return [Usage(len(there), len(set(options["interface_endpoints"]) - services))]


def gateway_endpoints(ec2: Any, environment: str, options: Options) -> list[Usage]:
    """That of S3."""
    there = [one for one in _endpoints(ec2) if one["VpcEndpointType"] == "Gateway"]
    return [counted(there, environment, options["gateway_endpoints"])]


def security_groups(ec2: Any, environment: str, options: Options) -> list[Usage]:
    """One for each component."""
    return [counted(_security_groups(ec2), environment, options["security_groups"])]


COUNTS: dict[str, Callable[[Any, str, Options], list[Usage]]] = {
    "vpcs": vpcs,
    "internet_gateways": internet_gateways,
    "elastic_ips": elastic_ips,
    "interface_endpoints": interface_endpoints,
    "gateway_endpoints": gateway_endpoints,
    "security_groups": security_groups,
}


def reads(context: Context) -> list[Read]:
    """The questions about the network's quotas but that for NAT gateways, which needs the zones."""
    options = context.options["network"]
    if not options:
        return []

    def ask(check: str, count: Callable[[Any, str, Options], list[Usage]]) -> Answer:
        return Answer(usages={check: count(context.clients["ec2"], context.name, options)})

    asked = [Read((check,), partial(ask, check, count)) for check, count in COUNTS.items()]
    rules = Answer(usages={"security_group_rules": [Usage(0, options["security_group_rules"])]})
    return [*asked, Read(("security_group_rules",), lambda: rules)]
