# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an account holds, by kind and name, so that twins and losses show when two accounts are compared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

Clients = Callable[[str], Any]
Resources = Counter[tuple[str, str]]

# kind -> (service, operation, member of the answer, key of the name; "Tags" is the Name tag, "" has no name).
LISTS: dict[str, tuple[str, str, str, str]] = {
    "VPC": ("ec2", "describe_vpcs", "Vpcs", "Tags"),
    "subnet": ("ec2", "describe_subnets", "Subnets", "Tags"),
    "internet gateway": ("ec2", "describe_internet_gateways", "InternetGateways", "Tags"),
    "NAT gateway": ("ec2", "describe_nat_gateways", "NatGateways", "Tags"),
    "elastic address": ("ec2", "describe_addresses", "Addresses", "Tags"),
    "route table": ("ec2", "describe_route_tables", "RouteTables", "Tags"),
    "network ACL": ("ec2", "describe_network_acls", "NetworkAcls", "Tags"),
    "security group": ("ec2", "describe_security_groups", "SecurityGroups", "GroupName"),
    "endpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "ServiceName"),
    "flow log": ("ec2", "describe_flow_logs", "FlowLogs", "LogGroupName"),
    "role": ("iam", "list_roles", "Roles", "RoleName"),
    "policy": ("iam", "list_policies", "Policies", "PolicyName"),
    "instance profile": ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    "log group": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "secret": ("secretsmanager", "list_secrets", "SecretList", "Name"),
    "bucket": ("s3", "list_buckets", "Buckets", "Name"),
    "DB instance": ("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    "DB subnet group": ("rds", "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
    "DB parameter group": ("rds", "describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName"),
    "queue": ("sqs", "list_queues", "QueueUrls", ""),
    "load balancer": ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    "target group": ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
    "certificate": ("acm", "list_certificates", "CertificateSummaryList", "DomainName"),
    "repository": ("ecr", "describe_repositories", "repositories", "repositoryName"),
    "cluster": ("ecs", "list_clusters", "clusterArns", ""),
    "task definition": ("ecs", "list_task_definitions", "taskDefinitionArns", ""),
    "namespace": ("servicediscovery", "list_namespaces", "Namespaces", "Name"),
    "topic": ("sns", "list_topics", "Topics", "TopicArn"),
    "subscription": ("sns", "list_subscriptions", "Subscriptions", "Endpoint"),
    "alarm": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "hosted zone": ("route53", "list_hosted_zones", "HostedZones", "Name"),
}
GENERATED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What is on its way out.
ENDED = ("deleted", "deleting", "DELETED", "failed", "INACTIVE")


def account(client: Clients) -> Resources:
    """How many resources of each (kind, name) there are; ``client`` makes boto3 clients by service name."""
    found: Resources = Counter()
    for kind, (service, operation, member, key) in LISTS.items():
        for item in _all(client(service), operation, member):
            if not isinstance(item, dict) or _counts(item):
                found[kind, _name(item, key)] += 1
    found.update(_keys(client("kms")))
    found.update(_services_and_tasks(client("ecs")))
    found.update(_listeners(client("elbv2")))
    return found


def _counts(item: dict[str, Any]) -> bool:
    """Not what is on its way out, and no service-linked role: AWS keeps it for the account."""
    ended = (item.get("State") or item.get("Status")) in ENDED
    return not ended and not str(item.get("Path", "")).startswith("/aws-service-role/")


def _all(client: Any, operation: str, member: str) -> Iterable[Any]:
    options = {"Scope": "Local"} if operation == "list_policies" else {}
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**options)
    else:
        pages = [getattr(client, operation)(**options)]
    return [item for page in pages for item in page.get(member) or []]


def _name(item: Any, key: str) -> str:
    # RDS names the secret of a master user after an id.
    return GENERATED.sub("<id>", _raw_name(item, key))


def _raw_name(item: Any, key: str) -> str:
    if isinstance(item, str):
        # An ARN; which revision of a task definition it is does not matter, how many there are does.
        return item.rsplit("/", 1)[-1].partition(":")[0]
    if key == "Tags":
        return next((str(tag["Value"]) for tag in item.get("Tags") or [] if tag["Key"] == "Name"), "")
    return str(item.get(key, ""))


def _keys(kms: Any) -> Iterable[tuple[str, str]]:
    """Customer keys and their aliases; those that wait for their deletion are gone."""
    aliases = list(_all(kms, "list_aliases", "Aliases"))
    for key in _all(kms, "list_keys", "Keys"):
        metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if metadata["KeyState"] != "PendingDeletion" and metadata.get("KeyManager") != "AWS":
            yield "KMS key", str(metadata.get("Description", ""))
            yield from (("key alias", one["AliasName"]) for one in aliases if one.get("TargetKeyId") == key["KeyId"])


def _services_and_tasks(ecs: Any) -> Iterable[tuple[str, str]]:
    """Services, running tasks, and one-off tasks that ran."""
    for cluster in ecs.list_clusters()["clusterArns"]:
        for arn in _all_of(ecs, "list_services", "serviceArns", cluster=cluster):
            yield "service", arn.rsplit("/", 1)[-1]
        for status in ("RUNNING", "STOPPED"):
            arns = _all_of(ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus=status)
            for task in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []:
                if status == "RUNNING" or not task["group"].startswith("service:"):
                    yield "task", f"{task['group']} {task['lastStatus']}"


def _listeners(elbv2: Any) -> Iterable[tuple[str, str]]:
    for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
        for listener in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            yield "listener", f"{balancer['LoadBalancerName']} {listener['Port']}"
            rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            yield from (("rule", f"{listener['Port']} {rule['Priority']}") for rule in rules)


def _all_of(client: Any, operation: str, member: str, **options: Any) -> list[str]:
    pages = client.get_paginator(operation).paginate(**options)
    return [str(item) for page in pages for item in page[member]]


def difference(before: Resources, after: Resources) -> dict[str, int]:
    """What ``after`` has more (positive) or less (negative) of: {"VPC cp": 1}."""
    keys = sorted(set(before) | set(after))
    return {
        f"{kind} {name}": after[kind, name] - before[kind, name]
        for kind, name in keys
        if before[kind, name] != after[kind, name]
    }
