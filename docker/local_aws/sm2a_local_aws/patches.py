# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""The modules that declare patch points. They import MiniStack, so they are loaded by `load`, after its environment."""

import importlib

from sm2a_local_aws import settings

# Declared in this order; where two replace the same function the later one wraps the earlier one.
WITH_ENGINE = (
    "ecs_images",
    "ecs_depends_on",
    "ecs_containers",
    "ecs_stop",
    "ecs_exit_watch",
    "task_logs",
    "rds_containers",
    "load_balancer_health",
    "load_balancer_routing",
)
WITH_LISTENER_PORTS = ("load_balancer_front",)
CONTROL_PLANE_ONLY = ("control_plane_only",)
ALWAYS = (
    "served",
    "ecs_control_plane",
    "ecs_deployments",
    "ecs_task_tags",
    "ecs_protection",
    "ecs_fargate",
    "log_groups",
    "embedded_metrics",
    "aws_metrics",
    "cloudwatch_alarms",
    "rds_instances",
    "rds_parameters",
    "rds_snapshots",
    "elbv2_control_plane",
    "elbv2_listener_certificates",
    "elbv2_rules",
    "elbv2_authentication",
    "elbv2_creation",
    "elbv2_identity_providers",
    "elbv2_log_buckets",
    "elbv2_targets",
    "acm_certificates",
    "acm_key_algorithm",
    "ec2_addresses",
    "ec2_endpoint_policies",
    "ec2_endpoints",
    "ec2_flow_logs",
    "ec2_instances",
    "ec2_network_acls",
    "ec2_network_interfaces",
    "ec2_prefix_lists",
    "acm_validation",
    "sns_delivery",
    "wafv2_associations",
    "route53_dnssec",
    "s3_conditional_writes",
    "iam.enforcement",
)


def load() -> None:
    """Import them, which declares their patch points."""
    configured = settings.current()
    engine_modules = CONTROL_PLANE_ONLY if configured.control_plane_only else WITH_ENGINE
    listener_modules = WITH_LISTENER_PORTS if configured.has_listener_ports else ()
    for module in engine_modules + listener_modules + ALWAYS:
        importlib.import_module(f"sm2a_local_aws.{module}")
