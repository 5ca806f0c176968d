# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELBv2: a load balancer is provisioning at first; a listener takes only a certificate that was issued."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import alb

from sm2a_local_aws.acm import validation
from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.waiting_times import states

Handler = Callable[[dict[str, Any]], Any]

PROVISIONING = "provisioning"

relies_on(
    "ministack.services.alb",
    {
        "_error": "7bbb9cb965a1",
        "_lb_xml": "59605e2cb117",
        "_parse_certificate_arns": "b0032a02e4d6",
        "_xml": "451c5e276087",
    },
)


@replaces("ministack.services.alb:_create_lb", "80262ade9bce", over=("elbv2.control_plane", "elbv2.creation"))
def create_load_balancer(original: Handler, parameters: dict[str, Any]) -> Any:
    """Provisioning at first."""
    known = set(alb._lbs.keys())
    response = original(parameters)
    made = set(alb._lbs.keys()) - known
    if not made:
        return response
    balancer = alb._lbs[made.pop()]
    states.hold(balancer, "State", PROVISIONING, "load_balancer", balancer["LoadBalancerName"])
    return alb._xml(200, "CreateLoadBalancer", f"<LoadBalancers>{alb._lb_xml(balancer)}</LoadBalancers>")


@replaces(
    "ministack.services.alb:_create_listener",
    "23d4ba6f6584",
    over=("load_balancer.front", "elbv2.authentication", "elbv2.creation"),
)
def create_listener(original: Handler, parameters: dict[str, Any]) -> Any:
    """Refuse a certificate that is not issued yet, in AWS's words."""
    for arn in alb._parse_certificate_arns(parameters):
        if validation.is_pending(arn):
            message = f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a "
            return alb._error("UnsupportedCertificate", f"{message}supported key size.")
    return original(parameters)


def is_provisioning(target_group_arn: str) -> bool:
    """Whether a load balancer of the target group is not active yet."""
    group = alb._tgs.get(target_group_arn) or {}
    balancers = [alb._lbs.get(arn) or {} for arn in group.get("LoadBalancerArns", [])]
    return any(balancer.get("State") == PROVISIONING for balancer in balancers)
