# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules for names that AWS's models do not have, each from the page of its operation in AWS's API reference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """``refused`` names patterns that a whole name must not match; ``code`` is AWS's word for the refusal."""

    parameter: str
    allowed: str
    sentence: str
    code: str = "ValidationError"
    refused: tuple[str, ...] = ()


ELB_NAME = r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
ELB_SENTENCE = (
    "The {kind} name '{name}' can have at most 32 characters: letters, digits and hyphens, none of these at an end"
)
RDS_NAME = r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
RDS_SENTENCE = (
    "The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain only "
    "ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
)
ECS_NAME = r"[A-Za-z0-9_-]{1,255}"
ECS_SENTENCE = "{parameter} '{name}' must be up to 255 letters, digits, underscores and hyphens"
TWO_HYPHENS = r".*--.*"
BUCKET_NAME = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
BUCKETS_REFUSED = (
    r".*\.\..*",
    r"\d+\.\d+\.\d+\.\d+",
    r"(xn--|sthree-|amzn-s3-demo-).*",
    r".*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)",
)


def _rds(parameter: str) -> Rule:
    return Rule(parameter, RDS_NAME, RDS_SENTENCE, "InvalidParameterValue", (TWO_HYPHENS,))


def _ecs(parameter: str) -> Rule:
    return Rule(parameter, ECS_NAME, ECS_SENTENCE, "InvalidParameterException")


# (service, operation) -> rules.
RULES: Mapping[tuple[str, str], tuple[Rule, ...]] = {
    ("elbv2", "CreateLoadBalancer"): (
        Rule("Name", ELB_NAME, ELB_SENTENCE.replace("{kind}", "load balancer"), refused=(r"internal-.*",)),
    ),
    ("elbv2", "CreateTargetGroup"): (Rule("Name", ELB_NAME, ELB_SENTENCE.replace("{kind}", "target group")),),
    ("rds", "CreateDBInstance"): (_rds("DBInstanceIdentifier"),),
    ("rds", "RestoreDBInstanceFromDBSnapshot"): (_rds("DBInstanceIdentifier"),),
    ("rds", "CreateDBSnapshot"): (_rds("DBSnapshotIdentifier"),),
    ("rds", "DeleteDBInstance"): (_rds("FinalDBSnapshotIdentifier"),),
    ("rds", "CreateDBParameterGroup"): (
        Rule(
            "DBParameterGroupName",
            r"[A-Za-z]([A-Za-z0-9-]{0,253}[A-Za-z0-9])?",
            RDS_SENTENCE,
            "InvalidParameterValue",
            (TWO_HYPHENS,),
        ),
    ),
    ("rds", "CreateDBSubnetGroup"): (
        Rule(
            "DBSubnetGroupName",
            r"[A-Za-z0-9_. -]{1,255}",
            "The parameter {parameter} must be up to 255 letters, digits, periods, underscores, spaces and hyphens, "
            "and must not be default",
            "InvalidParameterValue",
            (r"[Dd]efault",),
        ),
    ),
    ("sqs", "CreateQueue"): (
        Rule(
            "QueueName",
            r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            "InvalidParameterValue",
        ),
    ),
    ("ecs", "CreateCluster"): (_ecs("clusterName"),),
    ("ecs", "CreateService"): (_ecs("serviceName"),),
    ("ec2", "CreateSecurityGroup"): (
        Rule(
            "GroupName",
            r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}",
            "Value ({name}) for parameter {parameter} is invalid. Group names may not be in the format sg-*, or be "
            "longer than 255 characters",
            "InvalidParameterValue",
            (r"sg-.*", r"default"),
        ),
    ),
    ("s3", "CreateBucket"): (
        Rule("Bucket", BUCKET_NAME, "The specified bucket is not valid.", "InvalidBucketName", BUCKETS_REFUSED),
    ),
}


def problems(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Code and sentence of each name that AWS refuses."""
    for rule in RULES.get((service, operation), ()):
        name = parameters.get(rule.parameter)
        if not isinstance(name, str):
            continue
        refused = any(re.fullmatch(pattern, name) for pattern in rule.refused)
        if refused or not re.fullmatch(rule.allowed, name):
            yield rule.code, rule.sentence.format(name=name, parameter=rule.parameter)
