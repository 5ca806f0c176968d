# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Certificates, load balancers with what belongs to them, and web ACLs."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.model import (
    ARN,
    OWN_NAME,
    PROVIDER,
    Create,
    Late,
    Look,
)

ACM = f"{PROVIDER}/blob/main/internal/service/acm/certificate.go"
CERTIFICATES = f"{PROVIDER}/pull/3901"
LOAD_BALANCERS = f"{PROVIDER}/issues/15214"
TARGET_GROUPS = "https://github.com/kubernetes/cloud-provider-aws/issues/275"
LISTENERS = "https://github.com/kubernetes-sigs/aws-load-balancer-controller/pull/1472"
RULES = f"{PROVIDER}/issues/20442"
SERVICES = f"{PROVIDER}/blob/main/internal/service/ecs/service.go"
WAF = f"{PROVIDER}/blob/main/internal/service/wafv2/web_acl_association.go"
WEB_ACLS = f"{PROVIDER}/blob/main/internal/service/wafv2/web_acl.go"

_CERTIFICATE = (
    Late(
        "acm",
        ACM,
        ("ResourceNotFoundException",),
        calls="AddTagsToCertificate|DescribeCertificate|GetCertificate|ListTagsForCertificate",
    ),
    Late("elbv2", CERTIFICATES, ("CertificateNotFound",), calls="CreateListener|ModifyListener", seconds=300),
)


def _elbv2(kind: str) -> str:
    return rf"arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{{12}}:{kind}/[\w/-]+"


CREATES = (
    *(
        Create(
            "acm",
            operation,
            "CertificateArn",
            _CERTIFICATE,
            Look("acm", "DescribeCertificate", (("CertificateArn", "thing"),)),
            r"arn:[\w-]+:acm:[\w-]+:\d{12}:certificate/[\w-]+",
        )
        for operation in ("ImportCertificate", "RequestCertificate")
    ),
    Create(
        "elbv2",
        "CreateLoadBalancer",
        "LoadBalancers[].[LoadBalancerArn, LoadBalancerName]",
        (
            Late("elbv2", LOAD_BALANCERS, ("LoadBalancerNotFound",), calls="DescribeLoadBalancers", named="Names"),
            Late("elbv2", LOAD_BALANCERS, ("LoadBalancerNotFound",), calls="(?!Delete|DescribeLoadBalancers).+"),
            Late(
                "wafv2",
                WAF,
                ("WAFUnavailableEntityException",),
                calls="AssociateWebACL|DisassociateWebACL|GetWebACLForResource",
                always=True,
                seconds=300,
            ),
        ),
        Look("elbv2", "DescribeLoadBalancers", (("LoadBalancerArns", ARN), ("Names", OWN_NAME))),
        _elbv2("loadbalancer"),
    ),
    Create(
        "elbv2",
        "CreateTargetGroup",
        "TargetGroups[].[TargetGroupArn, TargetGroupName]",
        (
            Late("elbv2", TARGET_GROUPS, ("TargetGroupNotFound",), calls="DescribeTargetGroups", named="Names"),
            Late("elbv2", TARGET_GROUPS, ("TargetGroupNotFound",), calls="(?!Delete|DescribeTargetGroups).+"),
        ),
        Look("elbv2", "DescribeTargetGroups", (("TargetGroupArns", ARN), ("Names", OWN_NAME))),
        _elbv2("targetgroup"),
    ),
    Create(
        "elbv2",
        "CreateListener",
        "Listeners[].ListenerArn",
        (
            Late("elbv2", LISTENERS, ("ListenerNotFound",)),
            Late(
                "ecs",
                SERVICES,
                ("InvalidParameterException",),
                says="does not have an associated load balancer",
                calls="CreateService",
                always=True,
            ),
        ),
        Look("elbv2", "DescribeListeners", (("ListenerArns", "[thing]"),)),
        _elbv2("listener"),
    ),
    Create(
        "elbv2",
        "CreateRule",
        "Rules[].RuleArn",
        (Late("elbv2", RULES, ("RuleNotFound",)),),
        Look("elbv2", "DescribeRules", (("RuleArns", "[thing]"),)),
        _elbv2("listener-rule"),
    ),
    Create(
        "wafv2",
        "CreateWebACL",
        "Summary.ARN",
        (
            Late(
                "wafv2",
                WEB_ACLS,
                ("WAFUnavailableEntityException",),
                calls="AssociateWebACL|GetWebACLForResource|UpdateWebACL",
                always=True,
                seconds=300,
            ),
        ),
    ),
)
