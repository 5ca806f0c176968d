# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""The AWS services that SM2A uses, by MiniStack's names: it reads them from its environment (`environment`)."""

SERVICES = frozenset(
    {
        "acm",
        # Tests count API calls in its trail.
        "cloudtrail",
        "ec2",
        "ecr",
        "ecs",
        # What a container asks about itself.
        "ecs-metadata",
        "elasticloadbalancing",
        "iam",
        "kms",
        "logs",
        "monitoring",
        "rds",
        "route53",
        "s3",
        "secretsmanager",
        "servicediscovery",
        "sns",
        "sqs",
        "sts",
        "wafv2",
    }
)
