# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELBv2 API answers that MiniStack lacks: the full set of attributes, and the error for an unknown target group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import alb

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on(
    "ministack.services.alb",
    {
        "_error": "7bbb9cb965a1",
        "_parse_member_list": "824740126a7c",
    },
)

LOAD_BALANCER_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
TARGET_GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}


@replaces("ministack.services.alb:_create_lb", "80262ade9bce")
def create_load_balancer(original: Handler, parameters: dict[str, Any]) -> Any:
    """Give a new load balancer every attribute that AWS describes."""
    return _with_defaults(original, parameters, alb._lb_attrs, LOAD_BALANCER_ATTRIBUTES)


@replaces("ministack.services.alb:_create_tg", "92aa1c6fea7e")
def create_target_group(original: Handler, parameters: dict[str, Any]) -> Any:
    """Give a new target group every attribute that AWS describes."""
    return _with_defaults(original, parameters, alb._tg_attrs, TARGET_GROUP_ATTRIBUTES)


@replaces("ministack.services.alb:_delete_lb", "40fe6b0fdfb7")
def delete_load_balancer(original: Handler, parameters: dict[str, Any]) -> Any:
    """Refuse under deletion protection; else the listeners and rules go with the load balancer."""
    arn = alb._p(parameters, "LoadBalancerArn")
    attributes = {item["Key"]: item["Value"] for item in alb._lb_attrs.get(arn, [])}
    if attributes.get("deletion_protection.enabled") == "true":
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        return alb._error("OperationNotPermitted", message)
    for listener_arn in [key for key, value in list(alb._listeners.items()) if value["LoadBalancerArn"] == arn]:
        for rule_arn in [key for key, value in list(alb._rules.items()) if value["ListenerArn"] == listener_arn]:
            alb._rules.pop(rule_arn, None)
        alb._listeners.pop(listener_arn, None)
    for group in alb._tgs.values():
        group["LoadBalancerArns"] = [item for item in group["LoadBalancerArns"] if item != arn]
    return original(parameters)


@replaces("ministack.services.alb:_describe_tgs", "07af16df31cd")
def describe_target_groups(original: Handler, parameters: dict[str, Any]) -> Any:
    """An unknown name is an error, not an empty list."""
    names = set(alb._parse_member_list(parameters, "Names"))
    if names and not names & {group["TargetGroupName"] for group in alb._tgs.values()}:
        return alb._error("TargetGroupNotFound", "One or more target groups not found")
    return original(parameters)


def _with_defaults(original: Handler, parameters: dict[str, Any], store: Any, defaults: dict[str, str]) -> Any:
    before = set(store)
    response = original(parameters)
    for arn in set(store) - before:
        given = {item["Key"] for item in store[arn]}
        store[arn] += [{"Key": key, "Value": value} for key, value in defaults.items() if key not in given]
    return response
