# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The quotas that an SM2A environment uses: codes and names as Service Quotas has them, and AWS's default values.

CloudWatch has none for the number of alarms or dashboards:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
"""

from __future__ import annotations

from dataclasses import dataclass

# Quotas of global services are known in this Region alone.
# https://docs.aws.amazon.com/servicequotas/latest/userguide/intro.html
GLOBAL_REGION = "us-east-1"

SERVICES = {
    "acm": "AWS Certificate Manager (ACM)",
    "ec2": "Amazon Elastic Compute Cloud (Amazon EC2)",
    "ecs": "Amazon Elastic Container Service (Amazon ECS)",
    "elasticloadbalancing": "Elastic Load Balancing (ELB)",
    "fargate": "AWS Fargate",
    "iam": "AWS Identity and Access Management (IAM)",
    "kms": "AWS Key Management Service (AWS KMS)",
    "rds": "Amazon Relational Database Service (Amazon RDS)",
    "s3": "Amazon Simple Storage Service (Amazon S3)",
    "secretsmanager": "AWS Secrets Manager",
    "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
}
GLOBAL_SERVICES = ("iam", "s3")


@dataclass(frozen=True)
class Quota:
    """One quota; ``value`` is AWS's default."""

    service: str
    code: str
    name: str
    value: float
    unit: str = "None"
    adjustable: bool = True

    @property
    def is_global(self) -> bool:
        return self.service in GLOBAL_SERVICES

    def is_known_in(self, region: str) -> bool:
        return not self.is_global or region == GLOBAL_REGION


# Codes and names as the API answers them are listed at
# https://github.com/gruntwork-io/terraform-aws-utilities/blob/main/docs/quotas.md; the default values are those of the
# pages that are named here.
QUOTAS = (
    # https://docs.aws.amazon.com/general/latest/gr/ecs-service.html
    Quota("fargate", "L-3032A538", "Fargate On-Demand vCPU resource count", 6),
    Quota("fargate", "L-36FBB829", "Fargate Spot vCPU resource count", 6),
    Quota("ecs", "L-21C621EB", "Clusters per account", 10_000),
    Quota("ecs", "L-9EF96962", "Services per cluster", 5_000),
    # https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html and
    # https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html
    Quota("vpc", "L-F678F1CE", "VPCs per Region", 5),
    Quota("vpc", "L-A4707A72", "Internet gateways per Region", 5),
    Quota("vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5),
    Quota("vpc", "L-29B6F2EB", "Interface VPC endpoints per VPC", 50),
    Quota("vpc", "L-1B52E74A", "Gateway VPC endpoints per Region", 20),
    Quota("vpc", "L-E79EC296", "VPC security groups per Region", 2_500),
    Quota("vpc", "L-0EA8095F", "Inbound or outbound rules per security group", 60),
    Quota("vpc", "L-407747CB", "Subnets per VPC", 200),
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html
    Quota("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5),
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
    Quota("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers per Region", 50),
    Quota("elasticloadbalancing", "L-B22855CB", "Target Groups per Region", 3_000),
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
    Quota("rds", "L-7B6409FD", "DB instances", 40),
    Quota("rds", "L-7ADDB58A", "Total storage for all DB instances", 100_000, unit="Gigabytes"),
    Quota("rds", "L-48C6BF61", "DB subnet groups", 50),
    Quota("rds", "L-DE55804A", "Parameter groups", 50),
    Quota("rds", "L-272F1212", "Manual DB instance snapshots", 100),
    # https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
    Quota("secretsmanager", "L-2F66C23C", "Secrets", 500_000, adjustable=False),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    Quota("iam", "L-FE177D64", "Roles per account", 1_000),
    # https://docs.aws.amazon.com/general/latest/gr/s3.html
    Quota("s3", "L-DC2B2D3D", "General purpose buckets", 10_000),
    # https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
    Quota("kms", "L-C2F1777E", "Customer Master Keys (CMKs)", 100_000),
    # https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
    Quota("acm", "L-F141DD1D", "ACM certificates", 2_500),
)
BY_CODE = {quota.code: quota for quota in QUOTAS}


def of_service(service: str, region: str) -> tuple[Quota, ...]:
    """The quotas of a service that a Region knows; none for an unknown service."""
    return tuple(quota for quota in QUOTAS if quota.service == service and quota.is_known_in(region))
