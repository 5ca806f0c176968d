# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""An environment in the order in which its parts need each other: a module and its arguments a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.modules import ACCOUNT, REGION, Result

NAME = "late"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
TAGS = {"team": "data"}
LOOKUP = {"sm2a:environment": NAME}
TRUST = [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]
# What a step needs of the results of earlier ones, by the names of their modules.
Results = dict[str, Result]
Step = tuple[str, Callable[[Results], dict[str, Any]]]


def policy(action: str, resource: str) -> dict[str, Any]:
    """A resource policy that names the role."""
    allow = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [allow]}


def roles(_results: Results) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    managed = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    role = {"name": NAME, "description": "A role", "statements": [allow], "managed_policy_arns": managed}
    return {"roles": [role], "trust_statements": TRUST, "tags": TAGS}


def key(_results: Results) -> dict[str, Any]:
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    shared = policy("kms:Decrypt", "*")
    rules = {**shared, "Statement": [owner, *shared["Statement"]]}
    return {"alias": NAME, "lookup_tags": LOOKUP, "policy": rules, "enable_key_rotation": True, "tags": TAGS}


def network(_results: Results) -> dict[str, Any]:
    tiers = [{"tier": "public", "ports": ["443"]}, {"tier": "private", "ports": ["1024-3388"]}]
    return {
        "name": NAME,
        "lookup_tags": LOOKUP,
        "cidr": "10.90.0.0/16",
        "nat_gateways": "single",
        "network_acls": tiers,
    }


def groups(results: Results) -> dict[str, Any]:
    rule = {"ports": [443], "cidrs": ["10.90.0.0/16"]}
    group = {"name": NAME, "description": NAME, "ingress": [rule], "egress": []}
    return {"vpc_id": results["ec2_vpc_network"]["network"]["vpc_id"], "groups": [group]}


def endpoints(results: Results) -> dict[str, Any]:
    made = results["ec2_vpc_network"]["network"]
    return {
        "vpc_id": made["vpc_id"],
        "name": NAME,
        "endpoints": [{"service": "s3", "type": "Gateway"}, {"service": "sqs"}],
        "route_table_ids": made["private_route_table_ids"],
        "subnet_ids": made["private_subnet_ids"],
        "security_group_ids": list(results["ec2_security_groups"]["group_ids"].values()),
    }


def flow_log(results: Results) -> dict[str, Any]:
    vpc_id = results["ec2_vpc_network"]["network"]["vpc_id"]
    return {"name": NAME, "vpc_id": vpc_id, "log_group_name": f"/{NAME}", "role_arn": ROLE}


def bucket(_results: Results) -> dict[str, Any]:
    rule = {"id": "old", "expiration_in_days": 30}
    return {
        "name": f"{NAME}-bucket",
        "block_public_access": True,
        "encryption": {"algorithm": "AES256"},
        "versioning": True,
        "policy": policy("s3:GetObject", f"arn:aws:s3:::{NAME}-bucket/*"),
        "lifecycle_rules": [rule],
        "tags": TAGS,
    }


def queue(_results: Results) -> dict[str, Any]:
    return {"queues": [{"name": NAME, "policy": policy("sqs:SendMessage", "${queue_arn}")}], "tags": TAGS}


def topic(_results: Results) -> dict[str, Any]:
    address = {"protocol": "email", "endpoint": "ops@example.com"}
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{NAME}"
    return {"name": NAME, "policy": policy("sns:Publish", arn), "subscriptions": [address], "tags": TAGS}


def secret(results: Results) -> dict[str, Any]:
    value = {"name": NAME, "generate": {"kind": "password"}, "policy": policy("secretsmanager:GetSecretValue", "*")}
    return {"secrets": [value], "kms_key_id": results["kms_key"]["key"]["key_arn"], "tags": TAGS}


def repository(_results: Results) -> dict[str, Any]:
    expire = {
        "rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9},
    }
    rules = {"rules": [{**expire, "action": {"type": "expire"}}]}
    return {"names": [NAME], "lifecycle_policy": rules, "tags": TAGS}


def target_group(results: Results) -> dict[str, Any]:
    vpc_id = results["ec2_vpc_network"]["network"]["vpc_id"]
    return {"name": NAME, "protocol": "HTTP", "port": 8080, "vpc_id": vpc_id, "slow_start_seconds": 30, "tags": TAGS}


def load_balancer(results: Results) -> dict[str, Any]:
    group = results["elbv2_target_group"]["target_group"]["target_group_arn"]
    https = {
        "port": 443,
        "protocol": "HTTPS",
        "certificate_arn": results["acm_certificate"]["certificate"]["certificate_arn"],
        "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "target_group_arn": group,
        "rules": [{"priority": 1, "path_patterns": ["/internal/*"], "status": 404}],
        "attributes": {"routing.http.response.server.enabled": False},
    }
    return {
        "name": NAME,
        "subnet_ids": results["ec2_vpc_network"]["network"]["public_subnet_ids"],
        "security_group_ids": list(results["ec2_security_groups"]["group_ids"].values()),
        "attributes": {"idle_timeout.timeout_seconds": 90},
        "listeners": [https],
        "tags": TAGS,
    }


def cluster(_results: Results) -> dict[str, Any]:
    settings = {"containerInsights": "enabled"}
    return {"name": NAME, "settings": settings, "capacity_providers": ["FARGATE"], "tags": TAGS}


def task_definition(_results: Results) -> dict[str, Any]:
    container = {"name": "main", "image": "example/main"}
    size = {"family": NAME, "cpu": 256, "memory": 512, "execution_role_arn": ROLE}
    return {"task_definitions": [{**size, "container_definitions": [container]}], "tags": TAGS}


def _place(results: Results) -> dict[str, Any]:
    subnets = results["ec2_vpc_network"]["network"]["private_subnet_ids"]
    groups_of_task = list(results["ec2_security_groups"]["group_ids"].values())
    network_configuration = {"subnets": subnets, "security_groups": groups_of_task, "assign_public_ip": False}
    return {"launch_type": "FARGATE", "network_configuration": network_configuration}


def service(results: Results) -> dict[str, Any]:
    balancer = {
        "target_group_arn": results["elbv2_target_group"]["target_group"]["target_group_arn"],
        "container_name": "main",
        "container_port": 8080,
    }
    member = {
        "name": NAME,
        "task_definition": NAME,
        "desired_count": 1,
        "load_balancers": [balancer],
        **_place(results),
    }
    return {"cluster": NAME, "services": [member], "wait_delay": 1, "wait_timeout": 60, "tags": TAGS}


def task(results: Results) -> dict[str, Any]:
    once = {"run_once": True, "wait_delay": 1, "wait_timeout": 60}
    return {"cluster": NAME, "task_definition": NAME, **once, **_place(results)}


def instance(_results: Results) -> dict[str, Any]:
    return {
        "identifier": NAME,
        "engine": "postgres",
        "engine_version": "17",
        "instance_class": "db.t4g.medium",
        "allocated_storage": 20,
        "manage_master_user_password": True,
        "master_username": "sm2a_admin",
        "subnet_group_name": NAME,
        "parameter_group_name": NAME,
        "tags": TAGS,
    }


def alarm(_results: Results) -> dict[str, Any]:
    watched = {
        "namespace": "AWS/SQS",
        "metric_name": "NumberOfMessagesSent",
        "comparison_operator": "LessThanThreshold",
    }
    action = f"arn:aws:sns:{REGION}:{ACCOUNT}:{NAME}"
    return {"alarms": [{"name": NAME, **watched, "threshold": 1, "alarm_actions": [action]}], "tags": TAGS}


STEPS: tuple[Step, ...] = (
    ("iam_service_roles", roles),
    ("kms_key", key),
    ("cloudwatchlogs_log_groups", lambda _: {"names": [f"/{NAME}"], "retention_in_days": 30, "tags": TAGS}),
    ("ec2_vpc_network", network),
    ("ec2_security_groups", groups),
    ("ec2_vpc_endpoints", endpoints),
    ("ec2_flow_logs", flow_log),
    ("s3_bucket", bucket),
    ("sqs_queue", queue),
    ("sns_topic", topic),
    ("secretsmanager_secret", secret),
    ("ecr_repository", repository),
    ("acm_certificate", lambda _: {"name": NAME, "domain_names": [f"{NAME}.example.com"], "tags": TAGS}),
    ("elbv2_target_group", target_group),
    ("elbv2_load_balancer", load_balancer),
    ("wafv2_web_acl", lambda _: {"name": NAME, "rate_limit": 2000, "tags": TAGS}),
    (
        "wafv2_web_acl_association",
        lambda results: {"load_balancer_name": NAME, "web_acl_arn": results["wafv2_web_acl"]["web_acl"]["web_acl_arn"]},
    ),
    ("service_discovery_namespace", lambda _: {"name": NAME, "tags": TAGS}),
    ("ecs_cluster", cluster),
    ("ecs_task_definition", task_definition),
    ("ecs_service", service),
    ("ecs_task", task),
    (
        "rds_parameter_group",
        lambda _: {"name": NAME, "family": "postgres17", "description": NAME, "parameters": {"work_mem": 8192}},
    ),
    (
        "rds_subnet_group",
        lambda results: {
            "name": NAME,
            "description": NAME,
            "subnet_ids": results["ec2_vpc_network"]["network"]["private_subnet_ids"],
        },
    ),
    ("rds_instance", instance),
    ("cloudwatch_alarms", alarm),
)
