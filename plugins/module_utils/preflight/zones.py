# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The zones in which an environment is, or will be, and whether Fargate and the VPC endpoints are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import read_network
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.subnet_plan import zones_of
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight import network_usage
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import (
    Answer,
    Context,
    Once,
    Read,
    or_refused,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.network_usage import ENVIRONMENT_TAG

# Regions in which Fargate runs in some zones only. A Region that is not here has it in all.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate-Regions.html
FARGATE_ZONES: dict[str, frozenset[str]] = {
    "us-west-1": frozenset({"usw1-az1", "usw1-az3"}),
    "ap-northeast-1": frozenset({"apne1-az1", "apne1-az2", "apne1-az4"}),
    "cn-north-1": frozenset({"cnn1-az1", "cnn1-az2"}),
}

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Zones:
    """Names of the zones of the private subnets, in their order, and the id of every zone of the Region by its name.

    The same name stands for another zone in another account; the id does not.
    """

    chosen: list[str]
    ids: dict[str, str]

    def described(self, name: str) -> str:
        """``eu-west-1a (euw1-az3)``."""
        return f"{name} ({self.ids.get(name, 'unknown')})"


@call("describe availability zones")
def _zone_ids(ec2: Any) -> dict[str, str]:
    zones = ec2.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])["AvailabilityZones"]
    ordinary = [one for one in zones if one.get("ZoneType", "availability-zone") == "availability-zone"]
    return {one["ZoneName"]: one["ZoneId"] for one in ordinary}


@call("describe subnets")
def _zones_of_subnets(ec2: Any, subnet_ids: Sequence[str]) -> list[str]:
    subnets = ec2.describe_subnets(SubnetIds=list(subnet_ids))["Subnets"]
    return sorted({one["AvailabilityZone"] for one in subnets})


def read_zones(ec2: Any, environment: str, options: Options) -> Zones:
    """The zones of given subnets, those in use, those asked for, or those that the role network will choose."""
    ids = _zone_ids(ec2)
    if options["private_subnet_ids"]:
        return Zones(_zones_of_subnets(ec2, options["private_subnet_ids"]), ids)
    network = read_network(ec2, environment, {ENVIRONMENT_TAG: environment})
    wanted, count = options["availability_zones"], options["availability_zone_count"]
    return Zones(zones_of(network, wanted, count, sorted(ids)), ids)


def unknown_zones(zones: Zones, region: str) -> list[Finding]:
    """Zones that the Region does not have for this account."""
    wrong = [name for name in zones.chosen if name not in zones.ids]
    if not wrong:
        return []
    message = (
        f"The account has no zone {', '.join(wrong)} in {region}: name some of {', '.join(sorted(zones.ids))} in "
        "network_availability_zones."
    )
    return [Finding("fargate_zones", message)]


def fargate_zones(zones: Zones, region: str) -> list[Finding]:
    """Zones without Fargate, where no task would start."""
    with_fargate = FARGATE_ZONES.get(region)
    wrong = [
        name for name in zones.chosen if name in zones.ids and with_fargate and zones.ids[name] not in with_fargate
    ]
    if not wrong:
        return unknown_zones(zones, region)
    good = [zones.described(name) for name in sorted(zones.ids) if with_fargate and zones.ids[name] in with_fargate]
    message = (
        f"Fargate does not run in {', '.join(zones.described(name) for name in wrong)}: name as many of "
        f"{', '.join(good) or 'no zones of this account'} in network_availability_zones."
    )
    return [Finding("fargate_zones", message), *unknown_zones(zones, region)]


@call("describe the services of VPC endpoints")
def _service_zones(ec2: Any, services: list[str]) -> dict[str, set[str]]:
    pages = ec2.get_paginator("describe_vpc_endpoint_services").paginate(
        Filters=[{"Name": "service-name", "Values": services}]
    )
    found: dict[str, set[str]] = {}
    for page in pages:
        for one in page["ServiceDetails"]:
            found.setdefault(one["ServiceName"], set()).update(one.get("AvailabilityZones", []))
    return found


def endpoint_zones(ec2: Any, zones: Zones, services: Sequence[str]) -> list[Finding]:
    """Services of interface endpoints that are not in the Region, or not in all zones of the private subnets."""
    if not services:
        return []
    prefix = f"com.amazonaws.{ec2.meta.region_name}."
    places = _service_zones(ec2, [prefix + service for service in services])
    found = []
    for service in services:
        there = places.get(prefix + service)
        if there is None:
            message = f"AWS has no VPC endpoint of {service} in {ec2.meta.region_name}: leave it out."
            found.append(Finding("endpoint_zones", message))
            continue
        lacking = [zones.described(name) for name in zones.chosen if name not in there]
        if lacking:
            message = (
                f"The VPC endpoint of {service} is not in {', '.join(lacking)}: choose zones of "
                f"{', '.join(sorted(there))}, or leave it out."
            )
            found.append(Finding("endpoint_zones", message))
    return found


def reads(context: Context, zones: Once[Zones]) -> list[Read]:
    """The questions whose answers depend on the zones, but those about the database."""
    options, ec2 = context.options["network"], context.clients["ec2"]
    if not options:
        return []

    def nat_gateways() -> Answer:
        return Answer(usages={"nat_gateways": network_usage.nat_gateways(ec2, context.name, options, zones().chosen)})

    def judge() -> list[Finding]:
        return fargate_zones(zones(), context.region)

    found = [Read(("fargate_zones",), lambda: or_refused("fargate_zones", judge))]
    if options["nat_gateways"]:
        found.append(Read(("nat_gateways",), nat_gateways))
    if services := options["interface_endpoints"]:
        found.append(Read(("endpoint_zones",), lambda: Answer(endpoint_zones(ec2, zones(), services))))
    return found
