# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Quotas of the account, and whether what is asked for fits in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding

# Service Quotas has these in one Region of each partition only:
# https://docs.aws.amazon.com/servicequotas/latest/userguide/intro.html
GLOBAL_REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-northwest-1"}
GLOBAL_SERVICES = ("s3",)


@dataclass(frozen=True)
class Quota:
    """``service`` and ``code`` as Service Quotas has them."""

    service: str
    code: str
    things: str


# https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html has the codes, a page a service.
QUOTAS: dict[str, Quota] = {
    "fargate_on_demand_vcpu": Quota("fargate", "L-3032A538", "Fargate On-Demand vCPU"),
    "fargate_spot_vcpu": Quota("fargate", "L-36FBB829", "Fargate Spot vCPU"),
    "vpcs": Quota("vpc", "L-F678F1CE", "VPCs"),
    "internet_gateways": Quota("vpc", "L-A4707A72", "internet gateways"),
    "elastic_ips": Quota("ec2", "L-0263D0A3", "Elastic IP addresses"),
    "nat_gateways": Quota("vpc", "L-FE5A380F", "NAT gateways of a zone"),
    "interface_endpoints": Quota("vpc", "L-29B6F2EB", "interface endpoints of a VPC"),
    "gateway_endpoints": Quota("vpc", "L-1B52E74A", "gateway endpoints"),
    "security_groups": Quota("vpc", "L-E79EC296", "security groups"),
    "security_group_rules": Quota("vpc", "L-0EA8095F", "rules of a security group"),
    "load_balancers": Quota("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers"),
    "target_groups": Quota("elasticloadbalancing", "L-B22855CB", "target groups"),
    "db_instances": Quota("rds", "L-7B6409FD", "DB instances"),
    "db_storage": Quota("rds", "L-7ADDB58A", "GiB of storage of DB instances"),
    "db_subnet_groups": Quota("rds", "L-48C6BF61", "DB subnet groups"),
    "db_parameter_groups": Quota("rds", "L-DE55804A", "DB parameter groups"),
    "secrets": Quota("secretsmanager", "L-2F66C23C", "secrets"),
    "ecs_clusters": Quota("ecs", "L-21C621EB", "ECS clusters"),
    "ecs_services": Quota("ecs", "L-9EF96962", "services of an ECS cluster"),
    "iam_roles": Quota("iam", "L-FE177D64", "IAM roles"),
    "s3_buckets": Quota("s3", "L-DC2B2D3D", "S3 buckets"),
    "kms_keys": Quota("kms", "L-C2F1777E", "KMS keys"),
    "acm_certificates": Quota("acm", "L-F141DD1D", "ACM certificates"),
}


@dataclass(frozen=True)
class Usage:
    """What is there now, and what the environment still has to make; ``later`` is what it may grow by after that."""

    used: float
    missing: float
    later: float = 0
    where: str = ""


def global_region(partition: str, region: str) -> str:
    """Where quotas of the whole account are kept; this Region where nobody knows."""
    return GLOBAL_REGIONS.get(partition, region)


@call("list the applied quotas of a service", missing=("NoSuchResourceException",), default={})
def applied_quotas(service_quotas: Any, service: str) -> dict[str, float]:
    """Values by their codes; Service Quotas leaves out a quota that nobody has changed, of some services."""
    pages = service_quotas.get_paginator("list_service_quotas").paginate(ServiceCode=service)
    return {quota["QuotaCode"]: quota["Value"] for page in pages for quota in page["Quotas"] if "Value" in quota}


@call("list the default quotas of a service", missing=("NoSuchResourceException",), default={})
def default_quotas(service_quotas: Any, service: str) -> dict[str, float]:
    """The same of AWS's defaults."""
    pages = service_quotas.get_paginator("list_aws_default_service_quotas").paginate(ServiceCode=service)
    return {quota["QuotaCode"]: quota["Value"] for page in pages for quota in page["Quotas"] if "Value" in quota}


def quotas_of(service_quotas: Any, service: str, codes: set[str]) -> dict[str, float]:
    """The values of these quotas, the applied ones before AWS's defaults; one that neither list has is left out."""
    found = applied_quotas(service_quotas, service)
    if not codes <= found.keys():
        found = {**default_quotas(service_quotas, service), **found}
    return {code: value for code, value in found.items() if code in codes}


def judge(check: str, usages: list[Usage], values: Mapping[str, float], region: str) -> list[Finding]:
    """One finding for each use that the quota has no room for: certain for what a run needs, a guess for later."""
    quota = QUOTAS[check]
    value = values.get(quota.code)
    if value is None:
        return []
    found = []
    for usage in usages:
        now = usage.used + usage.missing
        if usage.missing and now > value:
            found.append(Finding(check, _sentence(quota, usage, now, value, region)))
        elif usage.later and now + usage.later > value:
            found.append(Finding(check, _sentence(quota, usage, now + usage.later, value, region), certain=False))
    return found


def _sentence(quota: Quota, usage: Usage, needed: float, value: float, region: str) -> str:
    needs = "needs" if needed == usage.used + usage.missing else "with the largest sizes of its worker groups can need"
    return (
        f"{quota.things}{usage.where}: the environment {needs} {shown(needed - usage.used)} more, {shown(usage.used)} "
        f"are used, and the quota {quota.service}/{quota.code} is {shown(value)}. Delete what is unused, or request an "
        f"increase: aws service-quotas request-service-quota-increase --region {region} --service-code {quota.service} "
        f"--quota-code {quota.code} --desired-value {math.ceil(needed)}"
    )


def shown(number: float) -> str:
    """``3``, ``2.5``, ``100,000``."""
    return f"{number:,.2f}".rstrip("0").rstrip(".")
