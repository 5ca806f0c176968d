# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What ELB refuses of Application Load Balancers. Ranges of ports, priorities and health checks are in its model."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sm2a_local_aws.limits.rules.checks import each, inside, items, mappings, named, number, required, text
from sm2a_local_aws.limits.rules.table import Parameters, Problem, Rule

REFERENCE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"
HEALTH_CHECKS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html"
CODE = "ValidationError"

NAME = r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
NAME_SENTENCE = "name '{value}' can have at most 32 characters: letters, digits and hyphens, none of these at an end"
WEEK = 604_800
BOOLEANS = ("true", "false")
LOG_KINDS = ("access_logs", "connection_logs", "health_check_logs")
# Attribute -> its least and greatest number, or its values; None for any text.
Values = tuple[int, int] | tuple[str, ...] | None
LOAD_BALANCER_ATTRIBUTES: Mapping[str, Values] = {
    "client_keep_alive.seconds": (60, WEEK),
    "deletion_protection.enabled": BOOLEANS,
    "idle_timeout.timeout_seconds": (1, 4000),
    "ipv6.deny_all_igw_traffic": BOOLEANS,
    "load_balancing.cross_zone.enabled": BOOLEANS,
    "routing.http.desync_mitigation_mode": ("monitor", "defensive", "strictest"),
    "routing.http.drop_invalid_header_fields.enabled": BOOLEANS,
    "routing.http.preserve_host_header.enabled": BOOLEANS,
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": BOOLEANS,
    "routing.http.xff_client_port.enabled": BOOLEANS,
    "routing.http.xff_header_processing.mode": ("append", "preserve", "remove"),
    "routing.http2.enabled": BOOLEANS,
    "waf.fail_open.enabled": BOOLEANS,
    "zonal_shift.config.enabled": BOOLEANS,
    **{f"{kind}.s3.enabled": BOOLEANS for kind in LOG_KINDS},
    **{f"{kind}.s3.{name}": None for kind in LOG_KINDS for name in ("bucket", "prefix")},
}
TARGET_GROUP_ATTRIBUTES: Mapping[str, Values] = {
    "deregistration_delay.timeout_seconds": (0, 3600),
    "load_balancing.algorithm.anomaly_mitigation": ("on", "off"),
    "load_balancing.algorithm.type": ("round_robin", "least_outstanding_requests", "weighted_random"),
    "load_balancing.cross_zone.enabled": (*BOOLEANS, "use_load_balancer_configuration"),
    "slow_start.duration_seconds": (0, 900),
    "stickiness.app_cookie.cookie_name": None,
    "stickiness.app_cookie.duration_seconds": (1, WEEK),
    "stickiness.enabled": BOOLEANS,
    "stickiness.lb_cookie.duration_seconds": (1, WEEK),
    "stickiness.type": ("lb_cookie", "app_cookie"),
    **{
        f"target_group_health.{kind}.minimum_healthy_targets.{name}": None
        for kind in ("dns_failover", "unhealthy_state_routing")
        for name in ("count", "percentage")
    },
}


def _attributes(known: Mapping[str, Values], kind: str) -> Problem:
    def problem(attribute: Parameters) -> str | None:
        key, value = text(attribute, "Key"), text(attribute, "Value")
        if key not in known:
            return f"{kind} attribute key '{key}' is not recognized"
        wanted = known[key]
        if wanted is None or value in wanted:
            return None
        if isinstance(wanted[0], str):
            return f"'{key}' value '{value}' must be one of [{', '.join(map(str, wanted))}]"
        least, most = wanted
        if value.isdigit() and int(least) <= int(value) <= int(most):
            return None
        return f"'{key}' value '{value}' must be between '{least}-{most}' inclusive"

    return each("Attributes", problem)


def _certificates(parameters: Parameters) -> str | None:
    certificates = items(parameters, "Certificates")
    if text(parameters, "Protocol") == "HTTP" and (certificates or parameters.get("SslPolicy")):
        return "A certificate or SSL policy cannot be specified for HTTP listeners"
    return "Exactly one certificate must be specified as the default" if len(certificates) > 1 else None


def _is_https(parameters: Parameters) -> bool:
    return text(parameters, "Protocol") == "HTTPS"


def _two_subnets(parameters: Parameters) -> str | None:
    subnets = items(parameters, "Subnets") + [one.get("SubnetId") for one in mappings(parameters, "SubnetMappings")]
    if len(set(subnets)) >= 2:
        return None
    return "At least two subnets in two different Availability Zones must be specified"


def _timeout_and_interval(parameters: Parameters) -> str | None:
    timeout = number(parameters, "HealthCheckTimeoutSeconds")
    interval = number(parameters, "HealthCheckIntervalSeconds")
    if timeout is None or interval is None or timeout < interval:
        return None
    return f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'"


def _matcher(parameters: Parameters) -> str | None:
    codes = text(inside(parameters, "Matcher"), "HttpCode")
    if not codes:
        return None
    parts = [one for part in codes.split(",") for one in part.split("-")]
    if re.fullmatch(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*", codes) and all(200 <= int(part) <= 499 for part in parts):
        return None
    return f"Health check matcher HTTP code '{codes}' must be within '200-499' inclusive"


def _health_check_port(parameters: Parameters) -> str | None:
    port = text(parameters, "HealthCheckPort")
    if not port or port == "traffic-port" or (port.isdigit() and 1 <= int(port) <= 65535):
        return None
    return f"Health check port '{port}' must be in the range '1-65535' inclusive or be equal to 'traffic-port'"


def _action(action: Parameters) -> str | None:
    port = text(inside(action, "RedirectConfig"), "Port")
    if port and port != "#{port}" and not (port.isdigit() and 1 <= int(port) <= 65535):
        return f"Redirect port '{port}' must be in the range '1-65535' inclusive or be equal to '#{{port}}'"
    session = number(inside(action, "AuthenticateOidcConfig"), "SessionTimeout")
    if session is not None and not 1 <= session <= WEEK:
        return f"Authentication session timeout '{session}' must be between '1-{WEEK}' inclusive"
    return None


LISTENERS = ("CreateListener", "ModifyListener")
GROUPS = ("CreateTargetGroup", "ModifyTargetGroup")
RULES = (
    Rule(
        ("CreateLoadBalancer",),
        named("Name", NAME, f"The load balancer {NAME_SENTENCE}", r"internal-.*"),
        CODE,
        f"{REFERENCE}API_CreateLoadBalancer.html",
    ),
    Rule(("CreateLoadBalancer", "SetSubnets"), _two_subnets, CODE, f"{REFERENCE}API_SetSubnets.html"),
    Rule(
        ("ModifyLoadBalancerAttributes",),
        _attributes(LOAD_BALANCER_ATTRIBUTES, "Load balancer"),
        CODE,
        f"{REFERENCE}API_LoadBalancerAttribute.html",
    ),
    Rule(
        ("CreateTargetGroup",),
        named("Name", NAME, f"The target group {NAME_SENTENCE}"),
        CODE,
        f"{REFERENCE}API_CreateTargetGroup.html",
    ),
    Rule(
        ("CreateTargetGroup",),
        required("Port", "A port must be specified", lambda given: given.get("TargetType") != "lambda"),
        CODE,
        f"{REFERENCE}API_CreateTargetGroup.html",
    ),
    Rule(GROUPS, _timeout_and_interval, CODE, HEALTH_CHECKS),
    Rule(GROUPS, _matcher, CODE, f"{REFERENCE}API_Matcher.html"),
    Rule(GROUPS, _health_check_port, CODE, f"{REFERENCE}API_CreateTargetGroup.html"),
    Rule(
        GROUPS,
        named("HealthCheckPath", r"/.*", "Health check path '{value}' must begin with a '/' character"),
        CODE,
        HEALTH_CHECKS,
    ),
    Rule(
        ("ModifyTargetGroupAttributes",),
        _attributes(TARGET_GROUP_ATTRIBUTES, "Target group"),
        CODE,
        f"{REFERENCE}API_TargetGroupAttribute.html",
    ),
    Rule(
        ("CreateListener",),
        required("Certificates", "A certificate must be specified for HTTPS listeners", _is_https),
        CODE,
        f"{REFERENCE}API_CreateListener.html",
    ),
    Rule(LISTENERS, _certificates, CODE, f"{REFERENCE}API_CreateListener.html"),
    Rule(LISTENERS, each("DefaultActions", _action), CODE, f"{REFERENCE}API_RedirectActionConfig.html"),
    Rule(("CreateRule", "ModifyRule"), each("Actions", _action), CODE, f"{REFERENCE}API_RedirectActionConfig.html"),
)
