# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2: NAT gateways and interface endpoints are pending at first; no route leads to a NAT gateway that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.waiting_times import states

Handler = Callable[[dict[str, Any]], Any]

PENDING = "pending"

relies_on("ministack.services.ec2", {"_p": "ecc7f2330470", "_error": "e86ca2bcfaa3"})


@replaces("ministack.services.ec2:_create_nat_gateway", "440bbbbfa2a7")
def create_nat_gateway(original: Handler, params: dict[str, Any]) -> Any:
    """Pending at first."""
    known = set(ec2._nat_gateways.keys())
    status, headers, body = original(params)
    for gateway_id in set(ec2._nat_gateways.keys()) - known:
        gateway = ec2._nat_gateways[gateway_id]
        states.hold(gateway, "State", PENDING, "nat_gateway", gateway_id)
        body = body.replace(b"<state>available</state>", f"<state>{gateway['State']}</state>".encode())
    return status, headers, body


@replaces("ministack.services.ec2:_create_route", "14b67cded12f")
def create_route(original: Handler, params: dict[str, Any]) -> Any:
    """Refuse a NAT gateway that is pending, in AWS's words: it "does not exist"."""
    return _refusal(params) or original(params)


@replaces("ministack.services.ec2:_replace_route", "5e3f58360eef")
def replace_route(original: Handler, params: dict[str, Any]) -> Any:
    """The same."""
    return _refusal(params) or original(params)


@replaces("ministack.services.ec2:_create_vpc_endpoint", "d5a50e265189", over=("ec2.endpoints",))
def create_vpc_endpoint(original: Handler, params: dict[str, Any]) -> Any:
    """One with network interfaces is pending at first. (The answer to the creation does not tell.)"""
    known = set(ec2._vpc_endpoints.keys())
    response = original(params)
    for endpoint_id in set(ec2._vpc_endpoints.keys()) - known:
        endpoint = ec2._vpc_endpoints[endpoint_id]
        if endpoint["VpcEndpointType"] == "Interface":
            states.hold(endpoint, "State", PENDING, "vpc_endpoint", endpoint_id)
    return response


def _refusal(params: dict[str, Any]) -> Any:
    gateway_id = ec2._p(params, "NatGatewayId")
    if (ec2._nat_gateways.get(gateway_id) or {}).get("State") != PENDING:
        return None
    return ec2._error("InvalidNatGatewayID.NotFound", f"The natGateway ID '{gateway_id}' does not exist", 400)
