# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What belongs to one environment, read once for all controls."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

Resource = dict[str, Any]
Document = dict[str, Any]


def statements(policy: str | Document | None) -> list[Document]:
    """The statements of a policy document; [] when there is none."""
    if not policy:
        return []
    document = json.loads(policy) if isinstance(policy, str) else policy
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as a plain value."""
    return value if isinstance(value, list) else [value]


def optional(read: Callable[..., Any], *codes: str, **parameters: Any) -> Any:
    """What ``read`` returns, or {} when AWS answers with one of ``codes``: the setting was never made."""
    try:
        return read(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return {}
        raise


@dataclass
class Environment:
    """``name`` is sm2a_name; ``client`` makes a boto3 client of a service; ``now`` is when the audit takes place."""

    name: str
    client: Callable[[str], Any]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def aws(self, service: str) -> Any:
        """The client of ``service``, made once."""
        return self._clients.setdefault(service, self.client(service))

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        """Everything that a paginated operation lists under ``key``."""
        found: list[Any] = []
        for page in self.aws(service).get_paginator(operation).paginate(**parameters):
            found += page.get(key) or []
        return found

    def of_this(self, names: list[Any]) -> list[Any]:
        """Those that are named after the environment: ``cp``, ``cp-worker`` or ``cp/config``."""
        return [name for name in names if name == self.name or str(name).startswith((f"{self.name}-", f"{self.name}/"))]

    @cached_property
    def vpc_ids(self) -> list[str]:
        mine = [{"Name": "tag:sm2a:environment", "Values": [self.name]}]
        return [vpc["VpcId"] for vpc in self.pages("ec2", "describe_vpcs", "Vpcs", Filters=mine)]

    def in_vpcs(self, operation: str, key: str, name: str = "vpc-id") -> list[Resource]:
        """What EC2 has in the environment's VPCs."""
        if not self.vpc_ids:
            return []
        return self.pages("ec2", operation, key, Filters=[{"Name": name, "Values": self.vpc_ids}])

    @cached_property
    def security_groups(self) -> list[Resource]:
        return self.in_vpcs("describe_security_groups", "SecurityGroups")

    @cached_property
    def load_balancers(self) -> list[Resource]:
        found = self.pages("elbv2", "describe_load_balancers", "LoadBalancers")
        return [one for one in found if self.of_this([one["LoadBalancerName"]])]

    @cached_property
    def load_balancer_attributes(self) -> dict[str, dict[str, str]]:
        """By name of the load balancer."""
        read = self.aws("elbv2").describe_load_balancer_attributes
        return {
            one["LoadBalancerName"]: {
                entry["Key"]: entry["Value"] for entry in read(LoadBalancerArn=one["LoadBalancerArn"])["Attributes"]
            }
            for one in self.load_balancers
        }

    @cached_property
    def listeners(self) -> list[Resource]:
        return [
            listener
            for one in self.load_balancers
            for listener in self.pages(
                "elbv2", "describe_listeners", "Listeners", LoadBalancerArn=one["LoadBalancerArn"]
            )
        ]

    @cached_property
    def clusters(self) -> list[Resource]:
        wanted = ["SETTINGS", "CONFIGURATIONS"]
        found = self.aws("ecs").describe_clusters(clusters=[self.name], include=wanted)["clusters"]
        return [cluster for cluster in found if cluster["status"] == "ACTIVE"]

    @cached_property
    def services(self) -> list[Resource]:
        found: list[Resource] = []
        for cluster in self.clusters:
            name = cluster["clusterName"]
            arns = self.pages("ecs", "list_services", "serviceArns", cluster=name)
            for start in range(0, len(arns), 10):
                found += self.aws("ecs").describe_services(cluster=name, services=arns[start : start + 10])["services"]
        return found

    @cached_property
    def task_definitions(self) -> list[Resource]:
        """Every active revision of the environment's families."""
        arns = self.pages("ecs", "list_task_definitions", "taskDefinitionArns", status="ACTIVE")
        mine = [arn for arn in arns if self.of_this([arn.split("/")[-1].split(":")[0]])]
        return [self.aws("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in mine]

    @cached_property
    def containers(self) -> list[tuple[str, Resource]]:
        """Family, revision and container name, with the container definition."""
        return [
            (f"{one['family']}:{one['revision']}/{container['name']}", container)
            for one in self.task_definitions
            for container in one["containerDefinitions"]
        ]

    @cached_property
    def databases(self) -> list[Resource]:
        found = self.pages("rds", "describe_db_instances", "DBInstances")
        return [one for one in found if self.of_this([one["DBInstanceIdentifier"]])]

    @cached_property
    def queues(self) -> dict[str, dict[str, str]]:
        """Attributes by name of the queue."""
        urls = self.pages("sqs", "list_queues", "QueueUrls", QueueNamePrefix=f"{self.name}-")
        read = self.aws("sqs").get_queue_attributes
        return {url.split("/")[-1]: read(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {}) for url in urls}

    @cached_property
    def secrets(self) -> list[Resource]:
        describe = self.aws("secretsmanager").describe_secret
        names = self.of_this([one["Name"] for one in self.pages("secretsmanager", "list_secrets", "SecretList")])
        return [describe(SecretId=name) for name in names]

    @cached_property
    def buckets(self) -> list[str]:
        """Buckets that carry the environment's tag, whatever they are called."""
        s3 = self.aws("s3")
        mine = []
        for bucket in s3.list_buckets()["Buckets"]:
            found = optional(s3.get_bucket_tagging, "NoSuchTagSet", "AccessDenied", Bucket=bucket["Name"])
            if {"Key": "sm2a:environment", "Value": self.name} in found.get("TagSet", []):
                mine.append(bucket["Name"])
        return mine

    @cached_property
    def keys(self) -> list[Resource]:
        """KMS keys with an alias of the environment."""
        aliases = self.pages("kms", "list_aliases", "Aliases")
        ids = {one["TargetKeyId"] for one in aliases if self.of_this([one["AliasName"].removeprefix("alias/")])}
        return [self.aws("kms").describe_key(KeyId=one)["KeyMetadata"] for one in sorted(ids)]

    @cached_property
    def roles(self) -> list[Resource]:
        return [one for one in self.pages("iam", "list_roles", "Roles") if self.of_this([one["RoleName"]])]

    @cached_property
    def role_statements(self) -> list[tuple[str, Document]]:
        """Role and policy, with each statement of its inline policies."""
        iam = self.aws("iam")
        found = []
        for role in self.roles:
            name = role["RoleName"]
            for policy in self.pages("iam", "list_role_policies", "PolicyNames", RoleName=name):
                document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                found += [(f"{name}/{policy}", statement) for statement in statements(document)]
        return found

    @cached_property
    def log_groups(self) -> list[Resource]:
        found: list[Resource] = []
        for place in ("/sm2a", "/aws/ecs/containerinsights", "/aws/rds/instance"):
            prefix = f"{place}/{self.name}/"
            found += self.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
        return found

    @cached_property
    def alarms(self) -> list[Resource]:
        return self.pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{self.name}/")

    @cached_property
    def topics(self) -> dict[str, dict[str, str]]:
        """Attributes by name of the topic."""
        arns = [one["TopicArn"] for one in self.pages("sns", "list_topics", "Topics")]
        mine = {arn.split(":")[-1]: arn for arn in arns if self.of_this([arn.split(":")[-1]])}
        read = self.aws("sns").get_topic_attributes
        return {name: read(TopicArn=arn)["Attributes"] for name, arn in mine.items()}

    @cached_property
    def repositories(self) -> list[Resource]:
        found = self.pages("ecr", "describe_repositories", "repositories")
        return [one for one in found if self.of_this([one["repositoryName"]])]
