# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ARNs: that they name the right kind of resource, in the region's partition, and in the region where AWS wants it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.names import REGION
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    each,
    matching,
    member,
    of_text,
    shown,
    text,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Problem, Rule, same

FORMAT = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"
KEY = "https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html"
CERTIFICATE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Certificate.html"
WEB_ACL = "https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html"
TOPIC = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
BOUNDARY = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"
POLICY = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html"
PRINCIPAL = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"
STORED = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"

# "aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-b" and what is to come.
PARTITION = r"aws[a-z-]*"
ACCOUNT = r"\d{12}"


def arn(
    service: str, resource: str, described: str, *, region: str = REGION, account: str = ACCOUNT, repeat: bool = True
) -> Problem:
    """A rule for the ARN of one kind of resource; ``described`` is an example in words."""
    return matching(f"arn:{PARTITION}:{service}:{region}:{account}:{resource}", f"the ARN of {described}", repeat)


KMS_KEY = arn("kms", r"key/[A-Za-z0-9-]+", "a KMS key, as arn:aws:kms:eu-west-1:123456789012:key/...")
# ECR and SQS take an alias as well; CloudWatch Logs and policies need the key.
KMS_KEY_OR_ALIAS = arn(
    "kms", r"(key|alias)/[A-Za-z0-9/_-]+", "a KMS key, as arn:aws:kms:eu-west-1:123456789012:key/..."
)
IAM_POLICY = arn(
    "iam",
    r"policy/\S+",
    "an IAM policy, as arn:aws:iam::123456789012:policy/name",
    region="",
    account=rf"({ACCOUNT}|aws)",
)
IAM_ROLE = arn("iam", r"role/\S+", "an IAM role, as arn:aws:iam::123456789012:role/name", region="")
# Somebody may take the secret itself for its name. A name may be that of a secret that RDS manages, with "!".
SECRET_ARN = arn("secretsmanager", r"secret:[\w/+=.@!-]+", "a secret of Secrets Manager", repeat=False)
SECRET_NAME = matching(
    r"[A-Za-z0-9/_+=.@!-]{1,512}", "a secret's name, of letters, digits and /_+=.@-, or its ARN", repeat=False
)
SECRET_REFERENCE = of_text(lambda value: (SECRET_ARN if value.startswith("arn:") else SECRET_NAME)(value))
# What these name is used in the environment's region, and cannot be elsewhere.
REGIONAL = (
    "secrets_kms_key_arn",
    "broker_kms_key_arn",
    "cluster_kms_key_arn",
    "database_kms_key_arn",
    "images_kms_key_arn",
    "monitoring_kms_key_arn",
    "network_kms_key_arn",
    "storage_kms_key_arn",
    "load_balancer_certificate_arn",
    "load_balancer_certificate_secret",
    "load_balancer_oidc",
    "load_balancer_web_acl_arn",
    "database_existing",
    "database_snapshot_identifier",
    "monitoring_topic_arn",
)
# Beginnings of regions -> the partition that they are in; all others are in "aws". Those of botocore.
PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
}


def _reader(value: Any) -> str | None:
    """A pattern of who may read secrets, in which ``*`` stands for any text."""
    form = r"\*|arn:[a-z*?-]+:(iam|sts|\*)?:[^:]*:[\d*?]*:\S+"
    described = "an ARN of a role or user, with * for any text, as arn:aws:iam::123456789012:role/name"
    return matching(form, described)(value)


def _certificate(value: str) -> str | None:
    form = rf"arn:{PARTITION}:(acm:{REGION}:{ACCOUNT}:certificate/[A-Za-z0-9-]+|iam::{ACCOUNT}:server-certificate/\S+)"
    if re.fullmatch(form, value):
        return None
    example = "arn:aws:acm:eu-west-1:123456789012:certificate/..."
    return f"must be the ARN of a certificate in AWS Certificate Manager, as {example}, not {shown(value)}"


def _web_acl(value: str) -> str | None:
    if re.fullmatch(rf"arn:{PARTITION}:wafv2:{REGION}:{ACCOUNT}:regional/webacl/[\w-]+/[A-Za-z0-9-]+", value):
        return None
    if ":global/webacl/" in value:
        return f"must be a web ACL of scope REGIONAL, not of CloudFront as {shown(value)}"
    example = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/name/id"
    return f"must be the ARN of a web ACL of AWS WAF, as {example}, not {shown(value)}"


def arns_in(value: Any) -> Iterator[list[str]]:
    """The six parts of every ARN in an option, at any depth; patterns, whose partition may be any, are none."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            # What a task's own code does with an ARN is its affair.
            yield from () if key == "environment" else arns_in(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from arns_in(inner)
    elif isinstance(value, str) and len(parts := value.split(":", 5)) == 6 and parts[0] == "arn":
        yield parts


def partition_of(region: str) -> str:
    """The partition that a region is in."""
    return next((partition for begin, partition in PARTITIONS.items() if region.startswith(begin)), "aws")


def _other_region(option: str) -> JointRule:
    def problem(values: Mapping[str, Any]) -> str | None:
        region = text(values, "sm2a_region")
        others = [parts[3] for parts in arns_in(values.get(option)) if re.fullmatch(REGION, parts[3])]
        other = next((one for one in others if region and one != region), None)
        return f"must be in the region of the environment, {region}, not in {other}" if other else None

    return JointRule((option, "sm2a_region"), FORMAT, problem)


def _other_partition(option: str) -> JointRule:
    def problem(values: Mapping[str, Any]) -> str | None:
        region = text(values, "sm2a_region")
        wanted = partition_of(region)
        # Of one in another region, where it cannot be, there is a sentence.
        here = ("", region) if option in REGIONAL else None
        given = [parts[1] for parts in arns_in(values.get(option)) if here is None or parts[3] in here]
        other = next((one for one in given if region and one != wanted and re.fullmatch(PARTITION, one)), None)
        return f"must be ARNs that begin with arn:{wanted}: in {region}, not with arn:{other}:" if other else None

    return JointRule((option, "sm2a_region"), FORMAT, problem)


RULES: list[Rule] = [
    *same(
        KEY,
        KMS_KEY,
        "secrets_kms_key_arn",
        "cluster_kms_key_arn",
        "cluster_dags_kms_key_arn",
        "database_kms_key_arn",
        "monitoring_kms_key_arn",
        "network_kms_key_arn",
        "storage_kms_key_arn",
    ),
    *same(KEY, KMS_KEY_OR_ALIAS, "images_kms_key_arn", "broker_kms_key_arn"),
    Rule("load_balancer_certificate_arn", CERTIFICATE, of_text(_certificate)),
    Rule("load_balancer_web_acl_arn", WEB_ACL, of_text(_web_acl)),
    Rule("monitoring_topic_arn", TOPIC, arn("sns", r"[A-Za-z0-9_-]{1,256}(\.fifo)?", "an SNS topic")),
    *same(
        BOUNDARY,
        IAM_POLICY,
        "cluster_permissions_boundary",
        "database_permissions_boundary",
        "network_permissions_boundary",
    ),
    *same(POLICY, member("policy_arns", each(IAM_POLICY)), "airflow_worker_groups", "cluster_worker_groups"),
    *same(
        FORMAT,
        IAM_ROLE,
        "database_monitoring_role_arn",
        "airflow_execution_role_arn",
        "autoscaler_execution_role_arn",
        "autoscaler_task_role_arn",
        "load_balancer_dns_role_arn",
    ),
    Rule("secrets_reader_arns", PRINCIPAL, each(_reader)),
    Rule("database_existing", STORED, member("master_secret_arn", SECRET_ARN)),
    Rule("cluster_master_secret_arn", STORED, SECRET_ARN),
    Rule("load_balancer_certificate_secret", STORED, SECRET_REFERENCE),
    Rule("load_balancer_oidc", STORED, member("client_secret_name", SECRET_REFERENCE)),
    Rule("cluster_queue_arns", FORMAT, each(arn("sqs", r"[\w-]+", "an SQS queue"))),
    Rule(
        "cluster_logs_bucket_arn",
        FORMAT,
        arn("s3", r"[a-z0-9.-]+", "an S3 bucket, as arn:aws:s3:::bucket", region="", account=""),
    ),
    Rule("cluster_repository_arns", FORMAT, each(arn("ecr", r"repository/[a-z0-9._/*-]+", "an ECR repository"))),
    *same(
        FORMAT,
        arn("elasticloadbalancing", r"targetgroup/\S+", "a target group"),
        "airflow_target_group_arn",
        "monitoring_target_group_arn",
    ),
    Rule("monitoring_load_balancer_arn", FORMAT, arn("elasticloadbalancing", r"loadbalancer/\S+", "a load balancer")),
    Rule("airflow_namespace_arn", FORMAT, arn("servicediscovery", r"namespace/\S+", "a Cloud Map namespace")),
]
WITH_ARNS = tuple(dict.fromkeys([*(rule.option for rule in RULES), *REGIONAL, "network_endpoint_resources"]))
JOINT_RULES: list[JointRule] = [
    *(_other_region(option) for option in REGIONAL),
    *(_other_partition(option) for option in WITH_ARNS),
]
