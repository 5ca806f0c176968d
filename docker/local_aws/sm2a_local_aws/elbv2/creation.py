# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELBv2: a repeated creation returns the existing resource if its settings are the same, and is refused otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import alb

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]
Parameters = dict[str, Any]

# What the creation of a listener, load balancer or target group says, beside its name: parameter -> key of its record.
LISTENER = {"Protocol": "Protocol"}
LOAD_BALANCER = {"Scheme": "Scheme", "IpAddressType": "IpAddressType"}
TARGET_GROUP = {"Protocol": "Protocol", "Port": "Port", "VpcId": "VpcId", "TargetType": "TargetType"}

relies_on(
    "ministack.services.alb",
    {
        "_error": "7bbb9cb965a1",
        "_lb_xml": "59605e2cb117",
        "_listener_xml": "93cc9890ee2d",
        "_p": "4073e17ee146",
        "_parse_actions": "40b80c548b38",
        "_parse_certificate_arns": "b0032a02e4d6",
        "_parse_member_list": "824740126a7c",
        "_tg_xml": "6584daa7a6e9",
        "_xml": "451c5e276087",
    },
)


@replaces("ministack.services.alb:_create_lb", "80262ade9bce", over=("elbv2.control_plane",))
def create_load_balancer(original: Handler, parameters: Parameters) -> Any:
    """The existing load balancer when its settings are the same."""
    held = _first(alb._lbs, "LoadBalancerName", alb._p(parameters, "Name"))
    if held is None or not _same(held, parameters, LOAD_BALANCER):
        return original(parameters)
    for key in ("Subnets", "SecurityGroups"):
        if set(held[key]) != set(alb._parse_member_list(parameters, key)):
            return original(parameters)
    return alb._xml(200, "CreateLoadBalancer", f"<LoadBalancers>{alb._lb_xml(held)}</LoadBalancers>")


@replaces("ministack.services.alb:_create_tg", "92aa1c6fea7e", over=("elbv2.control_plane",))
def create_target_group(original: Handler, parameters: Parameters) -> Any:
    """The existing target group when its settings are the same."""
    held = _first(alb._tgs, "TargetGroupName", alb._p(parameters, "Name"))
    if held is None:
        return original(parameters)
    if not _same(held, parameters, TARGET_GROUP):
        message = f"A target group with the same name '{held['TargetGroupName']}' exists, but with different settings"
        return alb._error("DuplicateTargetGroupName", message)
    return alb._xml(200, "CreateTargetGroup", f"<TargetGroups>{alb._tg_xml(held)}</TargetGroups>")


@replaces(
    "ministack.services.alb:_create_listener", "23d4ba6f6584", over=("load_balancer.front", "elbv2.authentication")
)
def create_listener(original: Handler, parameters: Parameters) -> Any:
    """The existing listener of the port when its settings are the same."""
    arn, port = alb._p(parameters, "LoadBalancerArn"), alb._p(parameters, "Port")
    on_port = [one for one in alb._listeners.values() if one["LoadBalancerArn"] == arn and str(one["Port"]) == port]
    if not on_port:
        return original(parameters)
    held = on_port[0]
    same = (
        _same(held, parameters, LISTENER)
        and held.get("Certificates", []) == alb._parse_certificate_arns(parameters)
        and held["DefaultActions"] == alb._parse_actions(parameters, "DefaultActions")
    )
    if not same:
        return alb._error("DuplicateListener", "A listener already exists on this port for this load balancer")
    return alb._xml(200, "CreateListener", f"<Listeners>{alb._listener_xml(held)}</Listeners>")


@replaces("ministack.services.alb:_create_rule", "99193af3da45", over=("elbv2.rules",))
def create_rule(original: Handler, parameters: Parameters) -> Any:
    """A priority is used once in a listener."""
    arn, priority = alb._p(parameters, "ListenerArn"), alb._p(parameters, "Priority")
    if any(one["ListenerArn"] == arn and one["Priority"] == priority for one in alb._rules.values()):
        return alb._error("PriorityInUse", f"Priority '{priority}' is currently in use")
    return original(parameters)


def _first(store: Any, key: str, value: str) -> dict[str, Any] | None:
    return next((record for record in store.values() if record[key] == value), None)


def _same(held: dict[str, Any], parameters: Parameters, keys: dict[str, str]) -> bool:
    """Whether what the parameters say is what the record holds; what they do not say is AWS's to choose."""
    given = {name: alb._p(parameters, name) for name in keys}
    return all(str(held[keys[name]]) == value for name, value in given.items() if value)
