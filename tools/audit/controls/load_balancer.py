# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELB: the door to the web server, and its certificate."""

from __future__ import annotations

from datetime import timedelta

from ..control import Verdicts, control, when
from ..environment import Environment, Resource, optional

CURRENT_POLICIES = ("ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-")
AGAIN = "Run site.yml: the role load_balancer sets it."


def attribute(environment: Environment, key: str, wanted: str) -> Verdicts:
    """Of every load balancer, an attribute that must have one value."""
    for name, attributes in environment.load_balancer_attributes.items():
        value = attributes.get(key, "unset")
        yield name, "" if value == wanted else f"{key} is {value}"


@control("ELB.1", "HTTP is redirected to HTTPS", AGAIN)
def redirect(environment: Environment) -> Verdicts:
    for one in environment.listeners:
        if one["Protocol"] == "HTTP":
            to = [action.get("RedirectConfig", {}).get("Protocol") for action in one["DefaultActions"]]
            yield one["ListenerArn"].split("/", 1)[-1], "" if to == ["HTTPS"] else "answers without TLS"


@control("ELB.4", "Invalid headers are dropped", AGAIN)
def invalid_headers(environment: Environment) -> Verdicts:
    yield from attribute(environment, "routing.http.drop_invalid_header_fields.enabled", "true")


@control(
    "ELB.5", "Access logs are kept", "Set load_balancer_access_logs_bucket; site.yml does so from the role storage."
)
def access_logs(environment: Environment) -> Verdicts:
    yield from attribute(environment, "access_logs.s3.enabled", "true")


@control("ELB.6", "Deletion protection", "Set load_balancer_deletion_protection: true and run site.yml.")
def deletion_protection(environment: Environment) -> Verdicts:
    yield from attribute(environment, "deletion_protection.enabled", "true")


@control("ELB.12", "Desync mitigation is defensive or strictest", AGAIN)
def desync(environment: Environment) -> Verdicts:
    for name, attributes in environment.load_balancer_attributes.items():
        mode = attributes.get("routing.http.desync_mitigation_mode", "unset")
        yield name, "" if mode in ("defensive", "strictest") else f"the mode is {mode}"


@control("ELB.13", "Two availability zones or more", "Give network_availability_zones two zones and run site.yml.")
def zones(environment: Environment) -> Verdicts:
    for one in environment.load_balancers:
        ids = [zone["SubnetId"] for zone in one["AvailabilityZones"]]
        subnets = environment.aws("ec2").describe_subnets(SubnetIds=ids)["Subnets"]
        names = {subnet["AvailabilityZone"] for subnet in subnets}
        yield one["LoadBalancerName"], "" if len(names) > 1 else f"only in {', '.join(names)}"


@control("ELB.16", "A web ACL stands in front", "Set load_balancer_web_acl_arn and run site.yml.")
def web_acl(environment: Environment) -> Verdicts:
    for one in environment.load_balancers:
        read = environment.aws("wafv2").get_web_acl_for_resource
        found = optional(read, "WAFNonexistentItemException", ResourceArn=one["LoadBalancerArn"])
        yield one["LoadBalancerName"], "" if found.get("WebACL") else "no web ACL"


@control("ELB.17", "A current TLS policy", "Remove load_balancer_ssl_policy, or name a policy with TLS 1.3.")
def tls_policy(environment: Environment) -> Verdicts:
    for one in environment.listeners:
        if one["Protocol"] == "HTTPS":
            policy = one.get("SslPolicy", "none")
            yield (
                one["ListenerArn"].split("/", 1)[-1],
                "" if policy.startswith(CURRENT_POLICIES) else f"the policy is {policy}",
            )


@control("ELB.18", "Listeners use TLS, or redirect to one that does", AGAIN)
def secure_listeners(environment: Environment) -> Verdicts:
    for one in environment.listeners:
        safe = one["Protocol"] == "HTTPS" or all(action["Type"] == "redirect" for action in one["DefaultActions"])
        yield one["ListenerArn"].split("/", 1)[-1], "" if safe else f"serves {one['Protocol']}"


@control(
    "ACM.1",
    "Certificates are valid for 30 days more",
    "Renew the certificate: ACM does so when its DNS record is there.",
)
def certificate_age(environment: Environment) -> Verdicts:
    for arn, certificate in certificates(environment):
        end = certificate.get("NotAfter") or environment.now
        yield arn, f"ends {end:%Y-%m-%d}" if end < environment.now + timedelta(days=30) else ""


@control(
    "ACM.2", "RSA keys of certificates have 2048 bits or more", "Import or request a certificate with a longer key."
)
def certificate_key(environment: Environment) -> Verdicts:
    found = certificates(environment)
    yield from when(((arn, one.get("KeyAlgorithm") == "RSA_1024") for arn, one in found), "the key has 1024 bits")


def certificates(environment: Environment) -> list[tuple[str, Resource]]:
    """Those that the listeners use."""
    arns = {one["CertificateArn"] for listener in environment.listeners for one in listener.get("Certificates", [])}
    read = environment.aws("acm").describe_certificate
    return [(arn, read(CertificateArn=arn)["Certificate"]) for arn in sorted(arns)]
