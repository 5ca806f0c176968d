# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What Elastic Load Balancing refuses and takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules import cases
from ansible_collections.sm2a.airflow.tests.unit.local_aws.limits.rules.cases import Wrong

SUBNETS = ["subnet-1", "subnet-2"]
TARGETS = {"Name": "web", "Port": "8080", "Protocol": "HTTP", "TargetType": "ip"}
CERTIFICATE = {"CertificateArn": "arn:aws:acm:eu-west-1:000000000000:certificate/a"}


def attribute(key: str, value: str) -> dict[str, Any]:
    return {"Attributes": [{"Key": key, "Value": value}]}


def redirect(port: str) -> dict[str, Any]:
    return {"Type": "redirect", "RedirectConfig": {"Port": port, "StatusCode": "HTTP_301"}}


CREATE, GROUP, LISTENER = "CreateLoadBalancer", "CreateTargetGroup", "CreateListener"
BALANCER_ATTRIBUTES, GROUP_ATTRIBUTES = "ModifyLoadBalancerAttributes", "ModifyTargetGroupAttributes"
CODE = "ValidationError"
OIDC = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"SessionTimeout": "604801"}}
WRONG = [
    Wrong(CREATE, {"Name": "internal-web", "Subnets": SUBNETS}, CODE, "load balancer name 'internal-web'"),
    Wrong(CREATE, {"Name": "web-", "Subnets": SUBNETS}, CODE, "load balancer name 'web-'"),
    Wrong(CREATE, {"Name": "w" * 33, "Subnets": SUBNETS}, CODE, "at most 32 characters"),
    Wrong(CREATE, {"Name": "web", "Subnets": ["subnet-1", "subnet-1"]}, CODE, "At least two subnets"),
    Wrong("SetSubnets", {"SubnetMappings": [{"SubnetId": "subnet-1"}]}, CODE, "At least two subnets"),
    Wrong(BALANCER_ATTRIBUTES, attribute("idle_timeout.seconds", "60"), CODE, "is not recognized"),
    Wrong(BALANCER_ATTRIBUTES, attribute("idle_timeout.timeout_seconds", "0"), CODE, "between '1-4000' inclusive"),
    Wrong(BALANCER_ATTRIBUTES, attribute("idle_timeout.timeout_seconds", "4001"), CODE, "between '1-4000'"),
    Wrong(BALANCER_ATTRIBUTES, attribute("deletion_protection.enabled", "yes"), CODE, "one of [true, false]"),
    Wrong(GROUP, {**TARGETS, "Name": "-web"}, CODE, "target group name '-web'"),
    Wrong(GROUP, {"Name": "web", "TargetType": "ip"}, CODE, "A port must be specified"),
    Wrong(
        GROUP,
        {**TARGETS, "HealthCheckTimeoutSeconds": "15", "HealthCheckIntervalSeconds": "15"},
        CODE,
        "timeout '15' must be smaller than the interval '15'",
    ),
    Wrong(GROUP, {**TARGETS, "Matcher": {"HttpCode": "200-500"}}, CODE, "within '200-499'"),
    Wrong(GROUP, {**TARGETS, "Matcher": {"HttpCode": "ok"}}, CODE, "within '200-499'"),
    Wrong(GROUP, {**TARGETS, "HealthCheckPort": "65536"}, CODE, "traffic-port"),
    Wrong("ModifyTargetGroup", {"HealthCheckPath": "health"}, CODE, "must begin with a '/'"),
    Wrong(GROUP_ATTRIBUTES, attribute("deregistration_delay.timeout_seconds", "3601"), CODE, "between '0-3600'"),
    Wrong(GROUP_ATTRIBUTES, attribute("stickiness.type", "source_ip"), CODE, "one of [lb_cookie, app_cookie]"),
    Wrong(LISTENER, {"Protocol": "HTTPS", "Port": "443"}, CODE, "A certificate must be specified for HTTPS listeners"),
    Wrong(LISTENER, {"Protocol": "HTTP", "Certificates": [CERTIFICATE]}, CODE, "for HTTP listeners"),
    Wrong("ModifyListener", {"Certificates": [CERTIFICATE, CERTIFICATE]}, CODE, "Exactly one certificate"),
    Wrong(LISTENER, {"DefaultActions": [redirect("0")]}, CODE, "Redirect port '0'"),
    Wrong("CreateRule", {"Actions": [redirect("https")]}, CODE, "Redirect port 'https'"),
    Wrong("ModifyRule", {"Actions": [OIDC]}, CODE, "session timeout '604801'"),
]
RIGHT = [
    (CREATE, {"Name": "w" * 32, "Subnets": SUBNETS}),
    (CREATE, {"Name": "my-internal-web", "SubnetMappings": [{"SubnetId": subnet} for subnet in SUBNETS]}),
    (BALANCER_ATTRIBUTES, attribute("idle_timeout.timeout_seconds", "4000")),
    (BALANCER_ATTRIBUTES, attribute("access_logs.s3.prefix", "")),
    (BALANCER_ATTRIBUTES, attribute("routing.http.desync_mitigation_mode", "strictest")),
    (GROUP, {**TARGETS, "HealthCheckTimeoutSeconds": "14", "HealthCheckIntervalSeconds": "15"}),
    (GROUP, {**TARGETS, "Matcher": {"HttpCode": "200,301-302"}, "HealthCheckPort": "traffic-port"}),
    (GROUP, {"Name": "web", "TargetType": "lambda"}),
    (GROUP_ATTRIBUTES, attribute("stickiness.lb_cookie.duration_seconds", "604800")),
    (LISTENER, {"Protocol": "HTTPS", "Certificates": [CERTIFICATE], "DefaultActions": [redirect("#{port}")]}),
    # One that has its certificate already.
    ("ModifyListener", {"Protocol": "HTTPS", "DefaultActions": [redirect("443")]}),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_refused(wrong: Wrong) -> None:
    cases.assert_refused("elbv2", wrong)


@pytest.mark.parametrize(("operation", "parameters"), RIGHT)
def test_taken(operation: str, parameters: dict[str, Any]) -> None:
    assert cases.refusals("elbv2", operation, parameters) == []


def test_every_rule_refuses_something() -> None:
    assert cases.rules_without_a_case("elbv2", WRONG) == []
