# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Domains and host names that certificates and load balancers refuse. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    each,
    items,
    matching,
    of_text,
    shown,
    text,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Problem, Rule

CERTIFICATE = "https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html"
HOST_HEADER = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_HostHeaderConditionConfig.html"
HOST = "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Host"

LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
LONGEST_LABEL, LONGEST_NAME = 63, 253
LONGEST_HOST_HEADER, LONGEST_COMMON_NAME = 128, 64
NAMES = ("load_balancer_domain_name", "load_balancer_certificate_alternative_names", "load_balancer_alternative_names")


def host_name_problem(name: str, wildcard: bool = False) -> str | None:
    """Why this is no host name, or with ``wildcard`` no ``*.`` before one, either; an address is one."""
    if is_address(name):
        return None
    if "://" in name:
        return f"must be a name only, without 'https://', not {shown(name)}"
    if re.search(r"[/?#@:\s]", name):
        return f"must be a name only, without path, port or space, not {shown(name)}"
    if name.endswith("."):
        return f"must not end with a dot; write {shown(name.rstrip('.'))}"
    rest = name[2:] if wildcard and name.startswith("*.") else name
    if "*" in rest:
        place = "have a '*' only before the first dot" if wildcard else "not have a '*'"
        return f"must {place}, not {shown(name)}" if wildcard else f"must {place}, as {shown(name)} does"
    return _labels_problem(rest, name)


def _labels_problem(rest: str, name: str) -> str | None:
    labels = rest.split(".")
    if wrong := next((label for label in labels if not LABEL.fullmatch(label)), None):
        if not wrong.isascii():
            return f"must be in ASCII (Punycode, as xn--...), not {shown(name)}"
        kind = "an underscore" if "_" in wrong else "another character or a hyphen at an end"
        return f"must have letters, digits and inner hyphens between its dots, not {kind} as {shown(name)}"
    if "" in labels:
        return f"must have letters or digits between its dots, not {shown(name)}"
    if any(len(label) > LONGEST_LABEL for label in labels):
        return f"must have at most {LONGEST_LABEL} characters between two dots, not more as {shown(name)}"
    return None if len(name) <= LONGEST_NAME else f"must have at most {LONGEST_NAME} characters, not {len(name)}"


def is_address(name: str) -> bool:
    """Whether this is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def served_names(values: Mapping[str, Any]) -> list[str]:
    """Every name under which people reach Airflow, each once, as the role load_balancer puts them together."""
    names = [text(values, NAMES[0]), *items(values, NAMES[1]), *items(values, NAMES[2])]
    return list(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def _too_long_for_rule(values: Mapping[str, Any]) -> str | None:
    names = served_names(values)
    # Otherwise the role makes no rules for host names.
    by_host = values.get("load_balancer_oidc") is None and all(
        re.fullmatch(r"[A-Za-z0-9*?.-]*[.][A-Za-z]+", name) for name in names
    )
    wrong = [name for name in names if len(name) > LONGEST_HOST_HEADER] if by_host else []
    if not wrong:
        return None
    return f"must have at most {LONGEST_HOST_HEADER} characters, not {len(wrong[0])}, as rules of load balancers allow"


def is_requested(values: Mapping[str, Any]) -> bool:
    """Whether Amazon issues the certificate."""
    source = text(values, "load_balancer_certificate_source")
    return source == "request" and not text(values, "load_balancer_certificate_arn")


def _not_for_amazon(values: Mapping[str, Any]) -> str | None:
    domain = text(values, "load_balancer_domain_name")
    if not is_requested(values) or not domain:
        return None
    names = [domain, *(name for name in items(values, NAMES[1]) if isinstance(name, str) and name)]
    wrong = next((name for name in names if is_address(name) or "." not in name), None)
    if wrong:
        return f"must be domains with a dot when the certificate is requested, not {shown(wrong)}"
    if len(domain) > LONGEST_COMMON_NAME:
        return (
            f"the domain of a requested certificate must have at most {LONGEST_COMMON_NAME} characters, "
            f"not {len(domain)}; take a shorter one, or set load_balancer_certificate_source to import"
        )
    return None


def _pattern(name: str) -> str | None:
    """A name that a load balancer compares with, where ``*`` stands for anything and ``?`` for one character."""
    sentence = host_name_problem(re.sub(r"[*?]", "x", name))
    return sentence and f"{sentence} (with x for each * and ?)" if re.search(r"[*?]", name) else sentence


def _address_of(existing: Any) -> str | None:
    address = existing.get("address") if isinstance(existing, Mapping) else None
    if not isinstance(address, str) or re.fullmatch(r"[^\s/@:]+|[0-9A-Fa-f:.]+", address):
        return None
    # Not repeated: it may be a URL with a password.
    return "address must be a host name, without scheme, user and port"


HOST_NAME: Problem = of_text(host_name_problem)
HEADER: Problem = matching(r"[^\s/,:@#]+|\[?[0-9A-Fa-f:.]+\]?", "a host name without scheme, port, path and comma")

RULES: list[Rule] = [
    Rule("load_balancer_domain_name", CERTIFICATE, HOST_NAME),
    Rule(
        "load_balancer_certificate_alternative_names",
        CERTIFICATE,
        each(of_text(lambda name: host_name_problem(name, wildcard=True))),
    ),
    Rule("load_balancer_alternative_names", HOST_HEADER, each(of_text(_pattern))),
    Rule("airflow_host_names", HOST, each(HEADER)),
    Rule("database_existing", HOST, _address_of),
]
JOINT_RULES: list[JointRule] = [
    JointRule(NAMES, HOST_HEADER, _too_long_for_rule),
    JointRule(
        ("load_balancer_domain_name", "load_balancer_certificate_alternative_names"), CERTIFICATE, _not_for_amazon
    ),
]
