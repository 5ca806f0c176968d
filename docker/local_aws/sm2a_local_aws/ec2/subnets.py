# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 subnets of one VPC do not overlap: who repeats the call that makes one is told."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import relies_on, replaces

relies_on("ministack.services.ec2", {"_p": "ecc7f2330470", "_error": "e86ca2bcfaa3"})


@replaces("ministack.services.ec2:_create_subnet", "607e159b1f48")
def create_subnet(original: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> Any:
    """Refused where it overlaps another one."""
    block, vpc_id = ec2._p(params, "CidrBlock"), ec2._p(params, "VpcId")
    others = [subnet["CidrBlock"] for subnet in ec2._subnets.values() if subnet["VpcId"] == vpc_id]
    if block and any(ipaddress.ip_network(block).overlaps(ipaddress.ip_network(other)) for other in others):
        return ec2._error("InvalidSubnet.Conflict", f"The CIDR '{block}' conflicts with another subnet", 400)
    return original(params)
