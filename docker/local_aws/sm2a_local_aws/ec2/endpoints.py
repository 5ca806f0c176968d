# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 VPC endpoints: policies, security groups and private DNS, of which a VPC can have one per service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import ec2

from sm2a_local_aws.ec2 import endpoint_policies as policies
from sm2a_local_aws.ec2 import endpoint_services as services
from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on(
    "ministack.services.ec2",
    {"_p": "ecc7f2330470", "_error": "e86ca2bcfaa3", "_xml": "353cd9683b41", "_parse_member_list": "827648db3c95"},
)


@replaces("ministack.services.ec2:_create_vpc_endpoint", "d5a50e265189")
def create_vpc_endpoint(original: Handler, params: dict[str, Any]) -> Any:
    """Keep groups, policy and private DNS; refuse private names that another endpoint of the VPC has."""
    private = ec2._p(params, "PrivateDnsEnabled") == "true"
    vpc_id, service = ec2._p(params, "VpcId"), ec2._p(params, "ServiceName")
    for other in ec2._vpc_endpoints.values():
        if private and (other["VpcId"], other["ServiceName"]) == (vpc_id, service) and other.get("PrivateDnsEnabled"):
            message = "private-dns-enabled cannot be set because there is already a conflicting DNS domain"
            return ec2._error("InvalidParameter", f"{message} for {service} in the VPC {vpc_id}", 400)
    unplaced = services.refusal(service, ec2._parse_member_list(params, "SubnetId"))
    if unplaced:
        return ec2._error(*unplaced, 400)
    policy = ec2._p(params, "PolicyDocument")
    if policy and (refused := policies.refusal(policy, service, ec2._p(params, "VpcEndpointType") or "Gateway")):
        return ec2._error(*refused, 400)
    known = set(ec2._vpc_endpoints.keys())
    response = original(params)
    for endpoint_id in set(ec2._vpc_endpoints.keys()) - known:
        endpoint = ec2._vpc_endpoints[endpoint_id]
        endpoint.update(Groups=ec2._parse_member_list(params, "SecurityGroupId"), PrivateDnsEnabled=private)
        endpoint["PolicyDocument"] = policy or policies.FULL_ACCESS
        response = ec2._xml(200, "CreateVpcEndpointResponse", ec2._vpce_fields_xml(endpoint, tag="vpcEndpoint"))
    return response


@replaces("ministack.services.ec2:_modify_vpc_endpoint", "f60c0a5a042f")
def modify_vpc_endpoint(original: Handler, params: dict[str, Any]) -> Any:
    """Change them."""
    endpoint = ec2._vpc_endpoints.get(ec2._p(params, "VpcEndpointId"))
    policy = ec2._p(params, "PolicyDocument")
    if endpoint:
        unplaced = services.refusal(endpoint["ServiceName"], ec2._parse_member_list(params, "AddSubnetId"))
        if unplaced:
            return ec2._error(*unplaced, 400)
    if endpoint and policy:
        refused = policies.refusal(policy, endpoint["ServiceName"], endpoint["VpcEndpointType"])
        if refused:
            return ec2._error(*refused, 400)
    response = original(params)
    if endpoint:
        if ec2._p(params, "ResetPolicy") == "true":
            endpoint["PolicyDocument"] = policies.FULL_ACCESS
        gone = ec2._parse_member_list(params, "RemoveSecurityGroupId")
        groups = [*endpoint.get("Groups", []), *ec2._parse_member_list(params, "AddSecurityGroupId")]
        endpoint["Groups"] = [group for group in dict.fromkeys(groups) if group not in gone]
        if ec2._p(params, "PrivateDnsEnabled"):
            endpoint["PrivateDnsEnabled"] = ec2._p(params, "PrivateDnsEnabled") == "true"
    return response


@replaces("ministack.services.ec2:_vpce_fields_xml", "645fd486d622")
def fields_xml(original: Callable[..., str], endpoint: dict[str, Any], tag: str = "item") -> str:
    """Tell them."""
    groups = "".join(f"<item><groupId>{group}</groupId></item>" for group in endpoint.get("Groups", []))
    private = "true" if endpoint.get("PrivateDnsEnabled") else "false"
    policy = escape(endpoint.get("PolicyDocument") or policies.FULL_ACCESS)
    more = f"<groupSet>{groups}</groupSet><privateDnsEnabled>{private}</privateDnsEnabled>"
    more += f"<policyDocument>{policy}</policyDocument>"
    return original(endpoint, tag).replace("<ownerId>", f"{more}<ownerId>", 1)
