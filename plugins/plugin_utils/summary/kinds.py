# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the modules change, in words for the summary of a run. Pure."""

from __future__ import annotations

KINDS = {
    "acm_certificate": "certificates",
    "airflow_dag_run": "DAG runs",
    "cloudwatch_alarms": "alarms",
    "cloudwatch_dashboard": "dashboards",
    "cloudwatchlogs_log_groups": "log groups",
    "container_base_image": "base images",
    "container_engine": "container engines",
    "container_image": "container images",
    "ec2_flow_logs": "flow logs",
    "ec2_security_groups": "security groups",
    "ec2_vpc_endpoints": "VPC endpoints",
    "ec2_vpc_network": "parts of the network",
    "ecr_repository": "image repositories",
    "ecs_cluster": "ECS clusters",
    "ecs_service": "ECS services",
    "ecs_task": "one-off ECS tasks",
    "ecs_task_definition": "task definitions",
    "elbv2_load_balancer": "load balancers",
    "elbv2_target_group": "target groups",
    "iam_service_roles": "IAM roles",
    "kms_key": "KMS keys",
    "rds_instance": "DB instances",
    "rds_parameter_group": "DB parameter groups",
    "rds_subnet_group": "DB subnet groups",
    "route53_load_balancer_alias": "DNS aliases",
    "s3_bucket": "S3 buckets",
    "s3_run_lock": "run locks",
    "secretsmanager_secret": "secrets",
    "service_discovery_namespace": "Cloud Map namespaces",
    "sns_topic": "SNS topics",
    "sqs_queue": "SQS queues",
    "wafv2_web_acl": "web ACLs",
    "wafv2_web_acl_association": "web ACL associations",
}


def kind_of(action: str) -> str:
    """What the module of this name changes; of another collection's module, its name."""
    name = action.rpartition(".")[2]
    return KINDS.get(name, name)
