# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Domains, address ranges and settings of the load balancer that AWS refuses, before anything is changed."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.module_utils.ec2 import subnet_plan
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws import addresses, domains, load_balancer
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws_values import problems
from ansible_collections.sm2a.airflow.tests.unit.plugins.plugin_utils.inputs.rules.rule_cases import (
    Cases,
    JointCases,
    RuleTests,
)

LONG_LABEL = "a" * 63
NO_NAMES = [
    "https://airflow.example.com/",
    "airflow.example.com/",
    "airflow.example.com:443",
    "airflow_prod.example.com",
    "airflow.example.com.",
    "airflow..example.com",
    ".example.com",
    "-a.example.com",
    "a-.example.com",
    "a b.example.com",
    "team@example.com",
    "bücher.example.com",
    f"{LONG_LABEL}a.example.com",
    ".".join([LONG_LABEL] * 4),
]
RANGES = [[], ["0.0.0.0/0"], ["203.0.113.7/32", "10.0.0.0/8", "pl-0123abcd"], ["2001:db8::/32", "::/0"]]
NO_RANGES = [["203.0.113.7"], ["10.0.0.1/24"], ["10.0.0.0/33"], ["office"], [""], ["10.0.0.0/255.255.0.0"], ["::1"]]
TO = ([{"ports": [22], "cidrs": one} for one in RANGES], [{"ports": [22], "cidrs": one} for one in NO_RANGES])
EGRESS = ([[one] for one in TO[0]], [[one] for one in TO[1]])
HEADERS = (
    ["", "max-age=31536000", "default-src 'self'; x" + "y" * 900, "a_:;.,\\/'?!(){}[]@<>=-+*#&`|~^%"],
    ["a\nb", "ü", '"a"', "$", "a" * 1025],
)
PREFIXES = (["", "load-balancer", "a/b"], ["/a", "a/", "AWSLogs", "a/AWSLogs/b"])
OIDC = {
    "issuer": "https://login.example.com",
    "authorization_endpoint": "https://login.example.com/oauth2/authorize",
    "token_endpoint": "https://login.example.com:8443/token",
    "user_info_endpoint": "https://login.example.com/userinfo",
}
CASES: Cases = {
    "load_balancer_domain_name": (
        [
            "airflow.example.com",
            "localhost",
            "a1.2b.example.com",
            "123.example.com",
            "10.0.0.7",
            "xn--bcher-kva.example",
            "A.B",
        ],
        [*NO_NAMES, "*.example.com"],
    ),
    "load_balancer_certificate_alternative_names": (
        [[], ["*.example.com", "b.example.com", "10.0.0.7", "::1"]],
        [*([name] for name in NO_NAMES), ["*"], ["a.*.example.com"], ["a*.example.com"], [""]],
    ),
    "load_balancer_alternative_names": (
        [[], ["*.example.com", "*", "team-*.example.com", "a?.example.com", "b.example.com"]],
        [["https://a.example.com"], ["a_b.example.com"], ["a.example.com/x"], ["*.example.com:443"]],
    ),
    "airflow_host_names": (
        [[], ["api-server", "airflow_internal", "*.example.com", "10.0.0.7", "::1"]],
        [["https://a.example.com"], ["a.example.com:8080"], ["a/b"], ["a,b"], ["a b"]],
    ),
    "database_existing": (
        [{"address": "db.example.com"}, {"address": "10.0.0.7"}, {"address": "db_1.internal"}, {}],
        [
            {"address": "postgresql://user:canary@db.example.com"},
            {"address": "db.example.com:5432"},
            {"address": "user@db"},
        ],
    ),
    "network_cidr": (
        ["10.90.0.0/16", "192.168.0.0/19", "172.31.0.0/18", "100.64.0.0/16", "203.0.0.0/16"],
        ["10.0.0.0/28", "10.0.0.1/24", "10.0.0.0/15", "10.0.0.0/29", "10.0.0.0", "fd00::/56", "all", "10.0.0.0/20"],
    ),
    "network_public_subnet_cidrs": (
        [[], ["10.90.0.0/24", "10.90.1.0/28"]],
        [["10.90.0.1/24", "10.90.1.0/24"], ["10.90.0.0/29", "10.90.1.0/24"], ["", "10.90.1.0/24"]],
    ),
    "network_private_subnet_cidrs": (
        [[], ["10.90.32.0/20", "10.90.48.0/20"]],
        [["10.90.32.0/15", "10.90.48.0/20"], ["fd00::/64", "10.90.48.0/20"]],
    ),
    "network_https_egress_cidrs": (RANGES, NO_RANGES),
    "network_load_balancer_allowed_cidrs": (RANGES, NO_RANGES),
    "network_database_cidrs": (RANGES, NO_RANGES),
    "load_balancer_allowed_cidrs": (RANGES, NO_RANGES),
    "network_task_egress": EGRESS,
    "network_load_balancer_egress": EGRESS,
    "airflow_trusted_proxies": (
        [[], ["10.0.0.1", "10.0.0.0/8", "10.0.0.1/8", "::1"]],
        [["proxy"], ["10.0.0.0/33"], [""]],
    ),
    "airflow_vpc_cidr": (["10.90.0.0/16"], ["vpc"]),
    "local_aws_subnet": (["10.91.0.0/24"], ["10.91.0.1/24", "10.91.0.0"]),
    "load_balancer_ssl_policy": (
        ["ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", "ELBSecurityPolicy-2016-08"],
        ["TLS13", "ELBSecurityPolicy TLS13"],
    ),
    "load_balancer_health_check_path": (["/", "/api/v2/version?x=1"], ["api", "/a b", "/" + "a" * 1024]),
    "load_balancer_oidc_exempt_paths": (
        [[], ["/api/v2/*", "*/x", "/a?b"]],
        [["api"], ["/a b"], ["/" + "a" * 128], [""]],
    ),
    "load_balancer_access_logs_prefix": PREFIXES,
    "load_balancer_connection_logs_prefix": PREFIXES,
    "load_balancer_strict_transport_security": HEADERS,
    "load_balancer_content_security_policy": HEADERS,
    "load_balancer_frame_options": HEADERS,
    "load_balancer_content_type_options": HEADERS,
    "load_balancer_oidc": (
        [OIDC],
        [{**OIDC, name: wrong} for name in OIDC for wrong in ("http://login.example.com/x", "login.example.com")],
    ),
    "load_balancer_waf_managed_rule_groups": (
        [[], [{"name": "AWSManagedRulesCommonRuleSet", "vendor": "AWS"}]],
        [[{"name": "a b"}], [{"name": "a" * 129}], [{"name": "a", "vendor": " "}]],
    ),
}
REQUEST = {"load_balancer_certificate_source": "request", "load_balancer_hosted_zone_name": "example.com"}
LONG = f"{LONG_LABEL}.{LONG_LABEL}.example.com"
VPC = {"network_vpc_id": "vpc-1a2b3c4d"}
TWO = ["subnet-1a2b3c4d", "subnet-2a2b3c4d"]
GIVEN = {"network_private_subnet_ids": TWO}
TOGETHER: JointCases = [
    ({"load_balancer_domain_name": LONG}, "at most 128 characters, not 139"),
    ({"load_balancer_domain_name": "a.example.com", "load_balancer_alternative_names": [LONG]}, "at most 128"),
    ({"load_balancer_domain_name": LONG, "load_balancer_oidc": OIDC}, None),
    ({"load_balancer_domain_name": LONG, "load_balancer_alternative_names": ["localhost"]}, None),
    ({**REQUEST, "load_balancer_domain_name": "airflow.example.com"}, None),
    ({**REQUEST, "load_balancer_domain_name": f"{LONG_LABEL}.example.com"}, "at most 64 characters, not 75"),
    (
        {
            **REQUEST,
            "load_balancer_domain_name": "airflow.example.com",
            "load_balancer_certificate_alternative_names": ["10.0.0.7"],
        },
        "must be domains with a dot when the certificate is requested, not '10.0.0.7'",
    ),
    ({"network_cidr": "10.0.0.0/20"}, "must be /19 or larger to be divided into subnets"),
    ({"network_cidr": "10.0.0.0/20", **VPC, **GIVEN}, None),
    (
        {
            "network_cidr": "10.0.0.0/24",
            "network_public_subnet_cidrs": ["10.0.0.0/27", "10.0.0.32/27"],
            "network_private_subnet_cidrs": ["10.0.0.64/26", "10.0.0.128/26"],
        },
        None,
    ),
    ({"network_public_subnet_cidrs": ["10.90.0.0/24"]}, "network_public_subnet_cidrs must have 2 entries"),
    (
        {"network_availability_zone_count": 3, "network_availability_zones": ["eu-west-1a", "eu-west-1b"]},
        "network_availability_zones must have 3 entries",
    ),
    ({"network_availability_zones": ["eu-west-1a", "eu-west-1a"]}, "zones must differ"),
    ({"network_private_subnet_cidrs": ["10.91.0.0/20", "10.90.48.0/20"]}, "subnets must be in 10.90.0.0/16, not 10.91"),
    (
        {"network_private_subnet_cidrs": ["10.90.32.0/19", "10.90.48.0/20"]},
        "must not overlap, as 10.90.32.0/19 and 10.90.48",
    ),
    # Those of the other tier are derived.
    ({"network_public_subnet_cidrs": ["10.90.32.0/24", "10.90.33.0/24"]}, "must not overlap"),
    ({"network_private_subnet_cidrs": ["10.90.0.0/20", "10.90.16.0/20"]}, "must not overlap"),
    ({**VPC, **GIVEN}, None),
    (VPC, "must name two subnets or more"),
    ({**VPC, "network_private_subnet_ids": [TWO[0]] * 2}, "must name two subnets or more"),
    ({**VPC, **GIVEN, "load_balancer_scheme": "internet-facing"}, "network_public_subnet_ids: must name two subnets"),
    ({**VPC, **GIVEN, "load_balancer_scheme": "internal"}, None),
    ({"load_balancer_https_port": 80}, "must differ"),
    ({"load_balancer_https_port": 8443, "load_balancer_http_port": 8443}, "must differ"),
    ({"load_balancer_health_check_interval_seconds": 10}, "shorter than the interval of 10 seconds, not 10"),
    ({"load_balancer_waf": "existing"}, "load_balancer_web_acl_arn: must be set"),
    ({"load_balancer_certificate_source": "import"}, "must be set to import a certificate"),
    ({"load_balancer_certificate_source": "import", "load_balancer_certificate_file": "/a"}, "must be set to import"),
    ({"load_balancer_certificate_source": "import", "load_balancer_certificate_secret": "certificate"}, None),
    (
        {
            "load_balancer_certificate_source": "import",
            "load_balancer_certificate_secret": "certificate",
            "load_balancer_certificate_file": "/a",
        },
        "not both",
    ),
    (
        {"load_balancer_certificate_renew_before_days": 365},
        "must be less than the 365 days of a self-signed certificate",
    ),
    (
        {"load_balancer_certificate_renew_before_days": 400, "load_balancer_certificate_arn": "arn:aws:acm:x"},
        "ARN of a",
    ),
    ({**REQUEST, "load_balancer_certificate_renew_before_days": 400}, None),
    ({"load_balancer_ip_address_type": "dualstack"}, "needs subnets with IPv6 ranges"),
    ({"load_balancer_ip_address_type": "dualstack", **VPC, **GIVEN}, None),
    ({"load_balancer_oidc_exempt_paths": ["/a"] * 491}, "must be at most 490, not 491"),
    ({"load_balancer_alternative_names": ["a.example.com"] * 491}, "must be at most 490, not 491"),
]


class TestRules(RuleTests):
    rules = (*domains.RULES, *addresses.RULES, *load_balancer.RULES)
    joint_rules = (*domains.JOINT_RULES, *addresses.JOINT_RULES, *load_balancer.JOINT_RULES)
    cases = CASES
    together = TOGETHER
    problems = staticmethod(problems)


def test_the_vpc_is_divided_as_the_role_does_it() -> None:
    assert addresses.LONGEST_DIVISIBLE == subnet_plan.LONGEST_PREFIX
    for cidr in ("10.90.0.0/16", "192.168.32.0/19"):
        for tier, kind in zip(addresses.TIERS, ("public", "private"), strict=True):
            for zones in (2, 3):
                derived = [str(one) for one in addresses._derived(addresses.Network(cidr), tier, zones)]
                assert derived == subnet_plan.subnet_cidrs(cidr, kind, zones, None)
