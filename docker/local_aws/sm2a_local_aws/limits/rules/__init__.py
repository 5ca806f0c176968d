# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The table of what AWS refuses of the parameters of a call and its models in botocore do not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sm2a_local_aws.limits.rules import ec2, ecs, elbv2, iam, keys_and_secrets, messaging, monitoring, rds, s3
from sm2a_local_aws.limits.rules.table import Parameters, Rule

RULES: Mapping[str, tuple[Rule, ...]] = {
    "acm": keys_and_secrets.CERTIFICATES,
    "cloudwatch": monitoring.ALARMS,
    "ec2": ec2.RULES,
    "ecs": ecs.RULES,
    "elbv2": elbv2.RULES,
    "iam": iam.RULES,
    "kms": keys_and_secrets.KEYS,
    "logs": monitoring.LOG_GROUPS,
    "rds": rds.RULES,
    "s3": s3.RULES,
    "secretsmanager": keys_and_secrets.SECRETS,
    "sns": messaging.TOPICS,
    "sqs": messaging.QUEUES,
}


def problems(service: str, operation: str, parameters: Parameters) -> Iterator[tuple[str, str]]:
    """Code and sentence of each rule that the parameters break."""
    for rule in RULES.get(service, ()):
        sentence = rule.problem(parameters) if operation in rule.operations else None
        if sentence:
            yield rule.code, sentence
