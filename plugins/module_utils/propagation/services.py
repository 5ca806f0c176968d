# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ECS and Cloud Map. Most answers of ECS are no errors: they list what they do not know as failures."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.model import (
    OWN_NAME,
    PROVIDER,
    Create,
    Late,
    Look,
)

ECS = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html"
CLUSTERS = f"{PROVIDER}/pull/11701"
CLUSTERS_OF_SERVICES = "https://github.com/hashicorp/terraform/pull/15066"
SERVICES = f"{PROVIDER}/pull/3387"
TASKS = "https://github.com/boto/boto3/issues/842"
CLOUD_MAP = f"{PROVIDER}/blob/main/internal/service/servicediscovery/wait.go"
UNKNOWN = "failures[?reason=='MISSING'].arn"

CREATES = (
    Create(
        "ecs",
        "CreateCluster",
        "cluster.[clusterArn, clusterName]",
        (
            # A cluster that was deleted stays listed as INACTIVE, and its successor has the same ARN.
            Late(
                "ecs",
                CLUSTERS,
                missing=f"[{UNKNOWN}, clusters[?status=='INACTIVE'].clusterArn]",
                calls="DescribeClusters",
            ),
            Late(
                "ecs",
                CLUSTERS_OF_SERVICES,
                ("ClusterNotFoundException",),
                calls="(?!Delete|DescribeClusters).+",
                named="cluster",
            ),
        ),
        Look("ecs", "DescribeClusters", (("clusters", OWN_NAME),), "clusters[?status=='ACTIVE']"),
    ),
    Create(
        "ecs",
        "RegisterTaskDefinition",
        "taskDefinition.taskDefinitionArn",
        (
            Late(
                "ecs",
                ECS,
                ("ClientException",),
                says="Unable to describe task definition",
                calls="DescribeTaskDefinition",
                named="taskDefinition",
                own=True,
            ),
        ),
        Look("ecs", "DescribeTaskDefinition", (("taskDefinition", "thing"),)),
        r"arn:[\w-]+:ecs:[\w-]+:\d{12}:task-definition/[\w-]+:\d+",
    ),
    Create(
        "ecs",
        "CreateService",
        "service.[serviceArn, serviceName]",
        (Late("ecs", SERVICES, missing=UNKNOWN, calls="DescribeServices"),),
        Look(
            "ecs",
            "DescribeServices",
            (("cluster", "cluster"), ("services", "[thing]")),
            "services[?status=='ACTIVE']",
        ),
    ),
    Create(
        "ecs",
        "RunTask",
        "tasks[].taskArn",
        (Late("ecs", TASKS, missing=UNKNOWN, calls="DescribeTasks"),),
    ),
    Create(
        "servicediscovery",
        "CreateHttpNamespace",
        "OperationId",
        (Late("servicediscovery", CLOUD_MAP, ("OperationNotFound",), calls="GetOperation", named="OperationId"),),
    ),
)
