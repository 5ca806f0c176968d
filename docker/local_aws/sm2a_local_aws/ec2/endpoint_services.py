# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Services that VPC endpoints lead to, with their types and Availability Zones; no endpoint is in a zone without them.

Whatever has a name of the Region counts as a service of AWS, in all zones, unless the file of `--account` names its
zones; with none of them it does not exist.
https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import ec2

from sm2a_local_aws import account
from sm2a_local_aws.ec2 import endpoint_policies
from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on(
    "ministack.services.ec2",
    {
        "_az_id_for_zone_name": "904aeef24c28",
        "_error": "e86ca2bcfaa3",
        "_parse_filters": "eb2fa616abd9",
        "_parse_member_list": "827648db3c95",
        "_p": "ecc7f2330470",
        "_xml": "353cd9683b41",
        "get_region": "7d056e8a5680",
    },
)
GATEWAYS = ("s3", "dynamodb")
# Listed when no name is asked for, with those that MiniStack lists.
LISTED = ("ecs", "ecs-agent", "ecs-telemetry", "elasticloadbalancing", "rds", "servicediscovery", "servicequotas")


def zones(service: str) -> list[str]:
    """The Availability Zones of a service; none for one that there is not."""
    start = f"com.amazonaws.{ec2.get_region()}."
    if not service.startswith(start):
        return []
    short = service.removeprefix(start)
    given = account.part("endpoint_service_zones")
    return list(given[short]) if short in given else [f"{ec2.get_region()}{letter}" for letter in "abc"]


def refusal(service: str, subnet_ids: list[str]) -> tuple[str, str] | None:
    """Code and message of AWS's error; None when the endpoint may be in these subnets."""
    if not service.startswith(f"com.amazonaws.{ec2.get_region()}."):
        # A service of somebody else.
        return None
    found = zones(service)
    if not found:
        return "InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist"
    for subnet_id in subnet_ids:
        zone = (ec2._subnets.get(subnet_id) or {}).get("AvailabilityZone")
        if zone and zone not in found:
            # As https://github.com/pingcap/docs quotes it, in the pages on private endpoints.
            message = f"The VPC endpoint service {service} does not support the availability zone of the subnet: "
            return "InvalidParameter", f"{message}{subnet_id}."
    return None


@replaces("ministack.services.ec2:_describe_vpc_endpoint_services", "8ac60c12c5f8")
def describe_vpc_endpoint_services(_original: Handler, params: dict[str, Any]) -> Any:
    """Those that are asked for, by name or by filter; MiniStack knows a few only."""
    filters = ec2._parse_filters(params)
    asked = ec2._parse_member_list(params, "ServiceName")
    unknown = [name for name in asked if not zones(name)]
    if unknown:
        return ec2._error("InvalidServiceName", f"The Vpc Endpoint Service '{unknown[0]}' does not exist", 400)
    names = asked or filters.get("service-name") or _all()
    if asked and "service-name" in filters:
        names = [name for name in asked if name in filters["service-name"]]
    kinds = filters.get("service-type", ["Gateway", "Interface"])
    found = {name: [kind for kind in _kinds(name) if kind in kinds] for name in names if zones(name)}
    details = "".join(_detail(name, kind) for name, of_name in found.items() for kind in of_name)
    listed = "".join(f"<item>{name}</item>" for name, of_name in found.items() if of_name)
    body = f"<serviceNameSet>{listed}</serviceNameSet><serviceDetailSet>{details}</serviceDetailSet>"
    return ec2._xml(200, "DescribeVpcEndpointServicesResponse", body)


def _all() -> list[str]:
    short = {*ec2._VPCE_GATEWAY_SERVICES, *ec2._VPCE_INTERFACE_SERVICES, *LISTED}
    return [f"com.amazonaws.{ec2.get_region()}.{name}" for name in sorted(short)]


def _kinds(name: str) -> Iterator[str]:
    """S3 and DynamoDB have both."""
    if name.rpartition(".")[2] in GATEWAYS:
        yield "Gateway"
    yield "Interface"


def _detail(name: str, kind: str) -> str:
    short, found = name.rpartition(".")[2], zones(name)
    policies = "false" if name.endswith(endpoint_policies.FULL_ACCESS_ONLY) else "true"
    own_name = f"{short}.{ec2.get_region()}.amazonaws.com"
    private = f"<privateDnsName>{own_name}</privateDnsName>" if kind == "Interface" else ""
    base = own_name if kind == "Gateway" else f"{short}.{ec2.get_region()}.vpce.amazonaws.com"
    return (
        f"<item><serviceName>{name}</serviceName><serviceId>{_identifier(name, kind)}</serviceId>"
        f"<serviceType><item><serviceType>{kind}</serviceType></item></serviceType>"
        f"<availabilityZoneSet>{_items(found)}</availabilityZoneSet>"
        f"<availabilityZoneIdSet>{_items([ec2._az_id_for_zone_name(zone) for zone in found])}</availabilityZoneIdSet>"
        f"<owner>amazon</owner><baseEndpointDnsNameSet>{_items([base])}</baseEndpointDnsNameSet>{private}"
        f"<vpcEndpointPolicySupported>{policies}</vpcEndpointPolicySupported>"
        f"<acceptanceRequired>false</acceptanceRequired><managesVpcEndpoints>false</managesVpcEndpoints>"
        f"<supportedIpAddressTypeSet>{_items(['ipv4'])}</supportedIpAddressTypeSet></item>"
    )


def _identifier(name: str, kind: str) -> str:
    return f"vpce-svc-{hashlib.sha256(f'{name} {kind}'.encode()).hexdigest()[:17]}"


def _items(values: list[str]) -> str:
    return "".join(f"<item>{value}</item>" for value in values)
