# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether names that an environment will take are free, or its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api as ecs_api
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import describe_load_balancer
from ansible_collections.sm2a.airflow.plugins.module_utils.iam import GONE
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import Answer, Context, Once, Read
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.network_usage import ENVIRONMENT_TAG
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.service_usage import iam_roles
from ansible_collections.sm2a.airflow.plugins.module_utils.rds.instances import describe_instance
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.buckets import FOREIGN, MISSING, read_tags

# As in arn:aws:ecs:eu-west-1:123456789012:*.
REGION_OF_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:([a-z0-9-]+):\d{12}:")
OTHER_NAME = "choose another sm2a_name"


def _not_own(what: str, environment: str, otherwise: str) -> str:
    tag = f"{ENVIRONMENT_TAG}={environment}"
    return f"The {what} is not of this environment, as it has no tag {tag}: {OTHER_NAME}, or {otherwise}."


@call("read an IAM role", missing=GONE)
def read_role(iam: Any, name: str) -> dict[str, Any] | None:
    """The role as IAM has it, None when there is none."""
    return dict(iam.get_role(RoleName=name)["Role"])


def trusted_region(role: Mapping[str, Any]) -> str | None:
    """The Region whose resources alone may assume the role, as all roles of an environment say."""
    statements = (role.get("AssumeRolePolicyDocument") or {}).get("Statement") or []
    for statement in statements:
        for tests in (statement.get("Condition") or {}).values():
            source = tests.get("aws:SourceArn", "") if isinstance(tests, Mapping) else ""
            found = REGION_OF_ARN.match(source[0] if isinstance(source, list) and source else str(source))
            if found:
                return found[1]
    return None


def judge_role(role: Mapping[str, Any] | None, environment: str, region: str) -> list[Finding]:
    """IAM has one role of a name for all Regions: two environments of one name would take it from each other."""
    if role is None:
        return []
    name, tags = role["RoleName"], boto3_tag_list_to_ansible_dict(role.get("Tags") or [])
    if tags.get(ENVIRONMENT_TAG) != environment:
        return [Finding("role_names", _not_own(f"IAM role {name}", environment, "delete the role"))]
    other = trusted_region(role)
    if other in (None, region):
        return []
    message = (
        f"The IAM role {name} belongs to the environment {environment} of {other}, and IAM roles are shared by all "
        f"Regions: {OTHER_NAME} for the environment in {region}."
    )
    return [Finding("role_names", message)]


@call("look up the bucket")
def bucket(s3: Any, name: str, environment: str, region: str) -> list[Finding]:
    """A bucket of that name that cannot be the environment's."""
    try:
        answer = s3.head_bucket(Bucket=name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in MISSING:
            return []
        if code not in FOREIGN:
            raise
        message = (
            f"The bucket {name} belongs to another account, or the credentials lack s3:ListBucket on it (bucket names "
            f"are shared by all accounts of the world): {OTHER_NAME}, or add the right."
        )
        return [Finding("bucket_names", message)]
    place = answer.get("BucketRegion") or region
    if place != region:
        message = (
            f"The bucket {name} is in {place}, and bucket names are shared by all Regions: {OTHER_NAME} for {region}."
        )
        return [Finding("bucket_names", message)]
    if read_tags(s3, name).get(ENVIRONMENT_TAG) != environment:
        return [Finding("bucket_names", _not_own(f"bucket {name}", environment, "tag or delete it"))]
    return []


def _foreign(kind: str, name: str, tags: Mapping[str, str], environment: str) -> list[Finding]:
    if tags.get(ENVIRONMENT_TAG) == environment:
        return []
    return [Finding("resource_names", _not_own(f"{kind} {name}", environment, "tag or remove it"))]


@call("describe the tags of the load balancer")
def _load_balancer_tags(elbv2: Any, arn: str) -> dict[str, str]:
    [described] = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return dict(boto3_tag_list_to_ansible_dict(described["Tags"]))


def load_balancer(elbv2: Any, name: str, environment: str) -> list[Finding]:
    """A load balancer of that name."""
    found = describe_load_balancer(elbv2, name)
    if found is None:
        return []
    return _foreign("load balancer", name, _load_balancer_tags(elbv2, found["LoadBalancerArn"]), environment)


def database(rds: Any, identifier: str, environment: str) -> list[Finding]:
    """A DB instance of that name."""
    found = describe_instance(rds, identifier)
    if found is None:
        return []
    return _foreign("database", identifier, boto3_tag_list_to_ansible_dict(found.get("TagList") or []), environment)


def cluster(ecs: Any, name: str, environment: str) -> list[Finding]:
    """An ECS cluster of that name."""
    found = ecs_api.describe_cluster(ecs, name)
    if found is None:
        return []
    return _foreign("ECS cluster", name, ecs_api.tag_dict(found.get("tags")), environment)


def reads(context: Context) -> list[Read]:
    """The questions about names, and that for the quota of IAM roles, which needs the same answers."""
    return [*_role_reads(context), *_other_reads(context)]


def _role_reads(context: Context) -> list[Read]:
    iam, names = context.clients["iam"], context.options["roles"]
    if not names:
        return []
    roles = {name: Once(partial(read_role, iam, name)) for name in names}

    def judge(name: str) -> Answer:
        return Answer(judge_role(roles[name](), context.name, context.region))

    def count() -> Answer:
        return iam_roles(iam, sum(role() is None for role in roles.values()))

    return [*(Read(("role_names",), partial(judge, name)) for name in names), Read(("iam_roles",), count)]


def _other_reads(context: Context) -> list[Read]:
    options, clients, name = context.options, context.clients, context.name
    asked = [partial(bucket, clients["s3"], one, name, context.region) for one in context.buckets]
    found = [Read(("bucket_names",), partial(_answer, question)) for question in asked]
    questions = []
    if balancer := options["load_balancer"]:
        questions.append(partial(load_balancer, clients["elbv2"], balancer["name"], name))
    if asked_database := options["database"]:
        questions.append(partial(database, clients["rds"], asked_database["identifier"], name))
    if asked_cluster := options["cluster"]:
        questions.append(partial(cluster, clients["ecs"], asked_cluster["name"], name))
    return found + [Read(("resource_names",), partial(_answer, question)) for question in questions]


def _answer(question: Callable[[], list[Finding]]) -> Answer:
    return Answer(question())
