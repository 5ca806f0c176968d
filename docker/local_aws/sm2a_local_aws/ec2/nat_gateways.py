# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 tells the addresses of NAT gateways."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import replaces

GATEWAY = re.compile(
    rb"<natGatewayId>([\w-]+)</natGatewayId>((?:(?!<natGatewayId>).)*?)<natGatewayAddressSet/>", re.DOTALL
)


@replaces("ministack.services.ec2:_describe_nat_gateways", "1673fcd2dd02")
def describe_nat_gateways(original: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> Any:
    """With the elastic address of each."""
    status, headers, body = original(params)
    return status, headers, GATEWAY.sub(_with_address, body)


def _with_address(item: re.Match[bytes]) -> bytes:
    allocation = ec2._nat_gateways[item[1].decode()].get("AllocationId")
    if not allocation:
        return item[0]
    ip = ec2._addresses.get(allocation, {}).get("PublicIp", "")
    address = f"<item><allocationId>{allocation}</allocationId><publicIp>{ip}</publicIp></item>"
    return item[0].replace(
        b"<natGatewayAddressSet/>", f"<natGatewayAddressSet>{address}</natGatewayAddressSet>".encode()
    )
