# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which call takes how much of which quota.

Tasks on Fargate are not refused but not placed (fargate.py). Of the quotas of clusters, and of services in a cluster,
AWS documents no refusal.
"""

from __future__ import annotations

from ministack.services import alb, iam, s3

from sm2a_local_aws import settings
from sm2a_local_aws.quotas import database_rules, network_rules, usage
from sm2a_local_aws.quotas.rule import Parameters, Rule, Rules, new


def _new_load_balancer(parameters: Parameters) -> float:
    is_application = parameters.get("Type", "application") == "application"
    return _NEW_NAME(parameters) if is_application else 0


_NEW_NAME = new(alb._lbs, "Name", "LoadBalancerName")
RULES: Rules = {
    **network_rules.RULES,
    **database_rules.RULES,
    # https://github.com/openshift/hive/blob/master/config/configmaps/install-log-regexes-configmap.yaml
    ("elbv2", "CreateLoadBalancer"): (
        Rule(
            "L-53DA6B97",
            "TooManyLoadBalancers",
            f"Exceeded quota of account {settings.ACCOUNT_ID}",
            lambda _: usage.load_balancers(),
            _new_load_balancer,
        ),
    ),
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    ("elbv2", "CreateTargetGroup"): (
        Rule(
            "L-B22855CB",
            "TooManyTargetGroups",
            "You've reached the limit on the number of target groups for your AWS account.",
            lambda _: usage.target_groups(),
            new(alb._tgs, "Name", "TargetGroupName"),
        ),
    ),
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html (errors); the text as users quote it.
    ("iam", "CreateRole"): (
        Rule(
            "L-FE177D64",
            "LimitExceeded",
            "Cannot exceed quota for RolesPerAccount: {value}",
            lambda _: usage.roles(),
            new(iam._roles, "RoleName"),
            status=409,
        ),
    ),
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    ("s3", "CreateBucket"): (
        Rule(
            "L-DC2B2D3D",
            "TooManyBuckets",
            "You have attempted to create more buckets than allowed",
            lambda _: usage.buckets(),
            new(s3._buckets, "Bucket"),
        ),
    ),
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html (errors)
    ("secretsmanager", "CreateSecret"): (
        Rule(
            "L-2F66C23C",
            "LimitExceededException",
            "The request failed because it would exceed one of the Secrets Manager quotas.",
            lambda _: usage.secrets(),
        ),
    ),
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html (errors)
    ("kms", "CreateKey"): (
        Rule(
            "L-C2F1777E",
            "LimitExceededException",
            "The request was rejected because a quota was exceeded.",
            lambda _: usage.keys(),
        ),
    ),
    # https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html (errors)
    **dict.fromkeys(
        (("acm", "RequestCertificate"), ("acm", "ImportCertificate")),
        (
            Rule(
                "L-F141DD1D",
                "LimitExceededException",
                "An ACM quota has been exceeded.",
                lambda _: usage.certificates(),
                lambda given: 0 if given.get("CertificateArn") else 1,
            ),
        ),
    ),
}
