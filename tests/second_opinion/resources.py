# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What an environment has in its account, by kind, as plain boto3 lists it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.control_plane import ControlPlane

Clients = Callable[[str], Any]


def active_clusters(ecs: Any) -> list[str]:
    """A deleted one may be listed for a time, as inactive.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html
    """
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    return [one["clusterName"] for one in clusters if one["status"] == "ACTIVE"]


# Kind -> names of all of them in the account.
LISTS: dict[str, Callable[[Clients], Iterable[str]]] = {
    "alarms": lambda of: [one["AlarmName"] for one in of("cloudwatch").describe_alarms()["MetricAlarms"]],
    "buckets": lambda of: [one["Name"] for one in of("s3").list_buckets()["Buckets"]],
    "clusters": lambda of: active_clusters(of("ecs")),
    "dashboards": lambda of: [one["DashboardName"] for one in of("cloudwatch").list_dashboards()["DashboardEntries"]],
    "databases": lambda of: [one["DBInstanceIdentifier"] for one in of("rds").describe_db_instances()["DBInstances"]],
    "load balancers": lambda of: [
        one["LoadBalancerName"] for one in of("elbv2").describe_load_balancers()["LoadBalancers"]
    ],
    "log groups": lambda of: [one["logGroupName"] for one in of("logs").describe_log_groups()["logGroups"]],
    "namespaces": lambda of: [one["Name"] for one in of("servicediscovery").list_namespaces()["Namespaces"]],
    "parameter groups": lambda of: [
        one["DBParameterGroupName"] for one in of("rds").describe_db_parameter_groups()["DBParameterGroups"]
    ],
    "queues": lambda of: of("sqs").list_queues().get("QueueUrls", []),
    "roles": lambda of: [one["RoleName"] for one in of("iam").list_roles()["Roles"]],
    "secrets": lambda of: [one["Name"] for one in of("secretsmanager").list_secrets()["SecretList"]],
    "security groups": lambda of: [one["GroupName"] for one in of("ec2").describe_security_groups()["SecurityGroups"]],
    "subnet groups": lambda of: [
        one["DBSubnetGroupName"] for one in of("rds").describe_db_subnet_groups()["DBSubnetGroups"]
    ],
    "target groups": lambda of: [
        one["TargetGroupName"] for one in of("elbv2").describe_target_groups()["TargetGroups"]
    ],
    "topics": lambda of: [one["TopicArn"] for one in of("sns").list_topics()["Topics"]],
    "VPCs": lambda of: [
        tag["Value"] for one in of("ec2").describe_vpcs()["Vpcs"] for tag in one.get("Tags", []) if tag["Key"] == "Name"
    ],
}


def of_environment(aws: ControlPlane, name: str) -> dict[str, list[str]]:
    """The names that carry the environment's, by kind."""
    return {kind: sorted(one for one in names(aws.client) if name in one) for kind, names in LISTS.items()}
