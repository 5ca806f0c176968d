# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELBv2: a target is an instance or an address of a private network, as on AWS; never this machine.

What a load balancer forwards comes from this machine: to this machine it would be the operator's.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from typing import Any

from ministack.services import alb

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
PRIVATE = tuple(
    ipaddress.ip_network(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)
INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")

relies_on(
    "ministack.services.alb", {"_error": "7bbb9cb965a1", "_p": "4073e17ee146", "_parse_targets_param": "b4d614094f2c"}
)


@replaces("ministack.services.alb:_register_targets", "6d01ed9a009d")
def register_targets(original: Handler, parameters: dict[str, Any]) -> Any:
    """Refuse what is no target of the group's type: MiniStack would connect to any name."""
    group = alb._tgs.get(alb._p(parameters, "TargetGroupArn")) or {}
    for target in alb._parse_targets_param(parameters):
        problem = problem_of(group.get("TargetType"), target["Id"])
        if problem:
            return alb._error("ValidationError", problem)
    return original(parameters)


def problem_of(target_type: str | None, target: str) -> str | None:
    """Why a group of that type does not take the target."""
    if target_type == "ip" and (not _is_private(target) or _is_own(target)):
        return f"The IP address '{target}' is not within any allowed range"
    if target_type == "instance" and not INSTANCE.fullmatch(target):
        return f"The instance ID '{target}' is not valid"
    return None


def _is_private(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in block for block in PRIVATE)


def _is_own(address: str) -> bool:
    """Whether it is one of this machine's addresses, such as the gateway."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True
