# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Hosted zones of Route 53, the role that changes them, and records that are made by hand. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.domains import is_requested
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import matching, shown, text
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Rule

VALIDATION = "https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html"
ZONE_NAME = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html"
ZONE_ID = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html"
ASSUMED = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"
ROLE_PAGE = "docs/roles/load_balancer.md"

MODE, ROLE, EXTERNAL_ID = (f"load_balancer_{name}" for name in ("dns", "dns_role_arn", "dns_role_external_id"))
ZONES = tuple(f"load_balancer_{name}" for name in ("hosted_zone_name", "hosted_zone_id", "certificate_hosted_zone_id"))

Values = Mapping[str, Any]


def _is_manual(values: Values) -> bool:
    return text(values, MODE, "route53") == "manual"


def _no_zone(values: Values) -> str | None:
    if not is_requested(values) or _is_manual(values) or any(text(values, zone) for zone in ZONES):
        return None
    return (
        "a requested certificate is validated in a hosted zone, so one of the zones must be set; or set "
        "load_balancer_dns to manual, and make the records yourself"
    )


def _two_zones(values: Values) -> str | None:
    if text(values, "load_balancer_hosted_zone_id") and text(values, "load_balancer_hosted_zone_name"):
        return "only one of them must be set, not both"
    return None


def _outside_zone(values: Values) -> str | None:
    domain = text(values, "load_balancer_domain_name").lower()
    zone = text(values, "load_balancer_hosted_zone_name").rstrip(".").lower()
    if not domain or not zone or f".{domain}".endswith(f".{zone}"):
        return None
    return f"the domain must be in the zone, as airflow.{zone} would be, not {shown(domain)}"


def _by_hand_and_in_a_zone(values: Values) -> str | None:
    given = [option for option in (*ZONES, ROLE) if text(values, option)]
    if not _is_manual(values) or not given:
        return None
    return (
        f"with manual no record is made, so {', '.join(given)} must be taken away; or set load_balancer_dns to route53"
    )


def _role_for_nothing(values: Values) -> str | None:
    if not text(values, ROLE) or _is_manual(values) or any(text(values, zone) for zone in ZONES):
        return None
    return "the role changes records in a hosted zone, so one of the zones must be set, or the role be taken away"


def _id_without_role(values: Values) -> str | None:
    if not text(values, EXTERNAL_ID) or text(values, ROLE):
        return None
    return "the external ID is for a role, so the role must be set, or the ID be taken away"


RULES: list[Rule] = [
    Rule(
        "load_balancer_hosted_zone_name",
        ZONE_NAME,
        matching(r"(?=.{1,254}$)([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?", "a domain such as example.com"),
    ),
    *(
        Rule(option, ZONE_ID, matching(r"(/?hostedzone/)?[A-Z0-9]{1,32}", "an id such as Z0123456789ABCDEFGHIJ"))
        for option in ("load_balancer_hosted_zone_id", "load_balancer_certificate_hosted_zone_id")
    ),
    Rule(EXTERNAL_ID, ASSUMED, matching(r"[\w+=,.@:/-]{2,1224}", "2 to 1224 letters, digits and _+=,.@:/-")),
]
JOINT_RULES: list[JointRule] = [
    JointRule(("load_balancer_certificate_source", *ZONES), VALIDATION, _no_zone),
    JointRule(("load_balancer_hosted_zone_id", "load_balancer_hosted_zone_name"), ZONE_ID, _two_zones),
    JointRule(("load_balancer_domain_name", "load_balancer_hosted_zone_name"), ZONE_NAME, _outside_zone),
    JointRule((MODE, *ZONES, ROLE), ROLE_PAGE, _by_hand_and_in_a_zone),
    JointRule((ROLE, *ZONES), ROLE_PAGE, _role_for_nothing),
    JointRule((EXTERNAL_ID, ROLE), ASSUMED, _id_without_role),
]
