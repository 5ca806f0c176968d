# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Hosted zones, the role that changes them and records by hand: what does not fit is refused before any change."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws import dns
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws_values import problems
from ansible_collections.sm2a.airflow.tests.unit.plugins.plugin_utils.inputs.rules.rule_cases import (
    Cases,
    JointCases,
    RuleTests,
)

ZONE_IDS = (["Z0123456789ABCDEFGHIJ", "Z1PA6795UKMFR9", "/hostedzone/Z1PA6795UKMFR9"], ["example.com", "z1", "Z" * 33])
ROLE = "arn:aws:iam::210987654321:role/staging-dns"
IN_ZONE = {"load_balancer_hosted_zone_name": "example.com"}
BY_HAND = {"load_balancer_dns": "manual"}
REQUEST = {"load_balancer_certificate_source": "request"}
CASES: Cases = {
    "load_balancer_hosted_zone_name": (
        ["example.com", "example.com.", "a_b.example.com"],
        ["https://example.com", "a..b"],
    ),
    "load_balancer_hosted_zone_id": ZONE_IDS,
    "load_balancer_certificate_hosted_zone_id": ZONE_IDS,
    "load_balancer_dns_role_external_id": (
        ["", "sm2a-staging", "a=b,c.d@e:f/g_h+i", "x" * 1224],
        ["x", "a b", "x" * 1225],
    ),
}
TOGETHER: JointCases = [
    (
        {"load_balancer_certificate_source": "request"},
        "so one of the zones must be set; or set load_balancer_dns to manual",
    ),
    ({"load_balancer_certificate_source": "request", "load_balancer_certificate_hosted_zone_id": "Z1"}, None),
    (
        {
            "load_balancer_certificate_source": "request",
            "load_balancer_certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1-2",
        },
        None,
    ),
    ({"load_balancer_hosted_zone_id": "Z1", "load_balancer_hosted_zone_name": "example.com"}, "not both"),
    (
        {"load_balancer_domain_name": "airflow.example.org", "load_balancer_hosted_zone_name": "example.com"},
        "must be in the zone, as airflow.example.com would be, not 'airflow.example.org'",
    ),
    (
        {"load_balancer_domain_name": "a.notexample.com", "load_balancer_hosted_zone_name": "example.com."},
        "must be in the zone",
    ),
    ({"load_balancer_domain_name": "EXAMPLE.com", "load_balancer_hosted_zone_name": "example.com."}, None),
    (BY_HAND, None),
    ({**BY_HAND, **REQUEST}, None),
    (
        {**BY_HAND, **IN_ZONE},
        "so load_balancer_hosted_zone_name must be taken away; or set load_balancer_dns to route53",
    ),
    ({**BY_HAND, "load_balancer_certificate_hosted_zone_id": "Z1"}, "so load_balancer_certificate_hosted_zone_id must"),
    ({**BY_HAND, "load_balancer_dns_role_arn": ROLE}, "so load_balancer_dns_role_arn must be taken away"),
    ({**IN_ZONE, "load_balancer_dns_role_arn": ROLE}, None),
    ({"load_balancer_certificate_hosted_zone_id": "Z1", "load_balancer_dns_role_arn": ROLE}, None),
    ({"load_balancer_dns_role_arn": ROLE}, "so one of the zones must be set, or the role be taken away"),
    ({**IN_ZONE, "load_balancer_dns_role_arn": ROLE, "load_balancer_dns_role_external_id": "sm2a"}, None),
    ({**IN_ZONE, "load_balancer_dns_role_external_id": "sm2a"}, "so the role must be set, or the ID be taken away"),
]


class TestRules(RuleTests):
    rules = dns.RULES
    joint_rules = dns.JOINT_RULES
    cases = CASES
    together = TOGETHER
    problems = staticmethod(problems)
