# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""ELBv2: an IP target is in a private network, as AWS demands; not this machine's loopback, which the proxy reaches."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from ministack.services import alb

from sm2a_local_aws.patching import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
PRIVATE = tuple(
    ipaddress.ip_network(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)

relies_on(
    "ministack.services.alb", {"_error": "7bbb9cb965a1", "_p": "4073e17ee146", "_parse_targets_param": "b4d614094f2c"}
)


@replaces("ministack.services.alb:_register_targets", "6d01ed9a009d")
def register_targets(original: Handler, parameters: dict[str, Any]) -> Any:
    """Refuse other addresses."""
    group = alb._tgs.get(alb._p(parameters, "TargetGroupArn"))
    if group is None or group["TargetType"] != "ip":
        return original(parameters)
    for target in alb._parse_targets_param(parameters):
        if not is_private(target["Id"]):
            return alb._error("ValidationError", f"The IP address '{target['Id']}' is not within any allowed range")
    return original(parameters)


def is_private(address: str) -> bool:
    """Whether it is an address that AWS takes as a target."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in block for block in PRIVATE)
