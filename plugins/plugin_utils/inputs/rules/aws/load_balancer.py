# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a load balancer refuses besides numbers: paths, headers, policies, providers, and options together. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    each,
    items,
    matching,
    member,
    number,
    of_text,
    shown,
    text,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Rule, same

ELB = "https://docs.aws.amazon.com/elasticloadbalancing/latest"
POLICIES = f"{ELB}/application/describe-ssl-policies.html"
LISTENER = f"{ELB}/APIReference/API_CreateListener.html"
HEALTH = f"{ELB}/application/target-group-health-checks.html"
PATH_PATTERN = f"{ELB}/APIReference/API_PathPatternConditionConfig.html"
ACCESS_LOGS = f"{ELB}/application/enable-access-logging.html"
CONNECTION_LOGS = f"{ELB}/application/enable-connection-logging.html"
ATTRIBUTES = f"{ELB}/APIReference/API_LoadBalancerAttribute.html"
HEADERS = f"{ELB}/application/header-modification.html"
PROVIDER = f"{ELB}/APIReference/API_AuthenticateOidcActionConfig.html"
ADDRESS_TYPE = f"{ELB}/application/load-balancer-ip-address-type.html"
QUOTAS = f"{ELB}/application/load-balancer-limits.html"
RULE_GROUP = "https://docs.aws.amazon.com/waf/latest/APIReference/API_ManagedRuleGroupStatement.html"
ASSOCIATION = "https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html"
IMPORT = "https://docs.aws.amazon.com/acm/latest/APIReference/API_ImportCertificate.html"

LONGEST_HEADER = 1024
HEADER_CHARACTER = r"[A-Za-z0-9_ :;.,\\/'?!(){}\[\]@<>=+*#&`|~^%-]"
# For which the module makes self-signed certificates.
VALID_DAYS = 365
# One rule is for paths that are refused; a rule takes five values, and a load balancer 100 rules, two of them for HTTP.
MOST_VALUES = 5 * 98
ENDPOINTS = ("issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint")

Values = Mapping[str, Any]


def _log_prefix(value: str) -> str | None:
    if "AWSLogs" in value:
        return f"must not contain 'AWSLogs', which AWS puts behind it, as {shown(value)} does"
    if value.startswith("/") or value.endswith("/"):
        return f"must not begin or end with '/'; write {shown(value.strip('/'))}"
    return None


def _header(value: str) -> str | None:
    wrong = sorted({one for one in value if not re.fullmatch(HEADER_CHARACTER, one)})
    if wrong:
        return (
            f"must have only letters, digits and _ :;.,\\/'?!(){{}}[]@<>=-+*#&`|~^%, not {' '.join(map(repr, wrong))}"
        )
    if len(value) > LONGEST_HEADER:
        return f"must have at most {LONGEST_HEADER} characters, not {len(value)}"
    return None


def _ports(values: Values) -> str | None:
    https, http = number(values, "load_balancer_https_port", 443), number(values, "load_balancer_http_port", 80)
    return f"must differ, because each is a listener of its own, not both be {http}" if https == http else None


def _health(values: Values) -> str | None:
    timeout = number(values, "load_balancer_health_check_timeout_seconds", 10)
    interval = number(values, "load_balancer_health_check_interval_seconds", 15)
    if timeout < interval:
        return None
    return f"the timeout must be shorter than the interval of {interval} seconds, not {timeout}"


def _web_acl(values: Values) -> str | None:
    if text(values, "load_balancer_waf") != "existing" or text(values, "load_balancer_web_acl_arn"):
        return None
    return "must be set with load_balancer_waf: existing; or choose create, none or unmanaged"


def _import(values: Values) -> str | None:
    if text(values, "load_balancer_certificate_source") != "import" or text(values, "load_balancer_certificate_arn"):
        return None
    file, key, secret = (
        text(values, f"load_balancer_certificate_{name}") for name in ("file", "private_key_file", "secret")
    )
    if file and secret:
        return "must be either the files or the secret of the certificate, not both"
    if (file and key) or secret:
        return None
    return "must be set to import a certificate: both files, or the secret"


def _renewal(values: Values) -> str | None:
    days = number(values, "load_balancer_certificate_renew_before_days", 30)
    made = text(values, "load_balancer_certificate_source", "self_signed") == "self_signed"
    if not made or text(values, "load_balancer_certificate_arn") or days < VALID_DAYS:
        return None
    return (
        f"must be less than the {VALID_DAYS} days of a self-signed certificate, or each run would renew it, not {days}"
    )


def _addresses(values: Values) -> str | None:
    kind = text(values, "load_balancer_ip_address_type", "ipv4")
    if kind == "ipv4" or text(values, "network_vpc_id") or text(values, "load_balancer_vpc_id"):
        return None
    return f"{kind} needs subnets with IPv6 ranges, which only a VPC of your own in network_vpc_id has; or set ipv4"


def _too_many(option: str) -> JointRule:
    def problem(values: Values) -> str | None:
        count = len(items(values, option))
        return f"must be at most {MOST_VALUES}, not {count}" if count > MOST_VALUES else None

    return JointRule((option,), QUOTAS, problem)


def _https(value: str) -> str | None:
    if re.fullmatch(r"https://[^\s/@?#]+(/\S*)?", value):
        return None
    return f"must be a full URL that begins with https://, not {shown(value)}"


RULES: list[Rule] = [
    Rule(
        "load_balancer_ssl_policy",
        POLICIES,
        matching(r"ELBSecurityPolicy-[A-Za-z0-9-]+", "a policy such as ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"),
    ),
    Rule("load_balancer_health_check_path", HEALTH, matching(r"/[!-~]{0,1023}", "a path that begins with '/'")),
    Rule(
        "load_balancer_oidc_exempt_paths",
        PATH_PATTERN,
        each(
            matching(r"""[/*?][A-Za-z0-9_.$/~"'@:+&()*?-]{0,127}""", "at most 128 characters of a path, as /api/v2/*")
        ),
    ),
    Rule("load_balancer_access_logs_prefix", ACCESS_LOGS, of_text(_log_prefix)),
    Rule("load_balancer_connection_logs_prefix", CONNECTION_LOGS, of_text(_log_prefix)),
    *same(
        HEADERS,
        of_text(_header),
        "load_balancer_strict_transport_security",
        "load_balancer_content_security_policy",
        "load_balancer_frame_options",
        "load_balancer_content_type_options",
    ),
    *(Rule("load_balancer_oidc", PROVIDER, member(endpoint, of_text(_https))) for endpoint in ENDPOINTS),
    Rule(
        "load_balancer_waf_managed_rule_groups",
        RULE_GROUP,
        member("name", matching(r"[\w-]{1,128}", "1 to 128 letters, digits, hyphens and underscores")),
    ),
    Rule(
        "load_balancer_waf_managed_rule_groups",
        RULE_GROUP,
        member("vendor", matching(r"(?=.*\S).{1,128}", "1 to 128 characters")),
    ),
]
JOINT_RULES: list[JointRule] = [
    JointRule(("load_balancer_certificate_renew_before_days",), "docs/roles/load_balancer.md", _renewal),
    JointRule(("load_balancer_https_port", "load_balancer_http_port"), LISTENER, _ports),
    JointRule(
        ("load_balancer_health_check_timeout_seconds", "load_balancer_health_check_interval_seconds"), HEALTH, _health
    ),
    JointRule(("load_balancer_web_acl_arn",), ASSOCIATION, _web_acl),
    JointRule(
        (
            "load_balancer_certificate_file",
            "load_balancer_certificate_private_key_file",
            "load_balancer_certificate_secret",
        ),
        IMPORT,
        _import,
    ),
    JointRule(("load_balancer_ip_address_type",), ADDRESS_TYPE, _addresses),
    _too_many("load_balancer_oidc_exempt_paths"),
    _too_many("load_balancer_alternative_names"),
]
