# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the removal of the ECS cluster and of the load balancer meets and loses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api as ecs_api
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import (
    describe_load_balancer,
    describe_target_group,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.load_balancers import PROTECTION, describe_attributes
from ansible_collections.sm2a.airflow.plugins.module_utils.removal.findings import Findings, counted

Options = Mapping[str, Any]


def cluster(ecs: Any, options: Options) -> Findings:
    """ECS deletes no cluster that has services or tasks, and nobody but their owner removes those of somebody else."""
    name = options["name"]
    own_tags = {key: str(value) for key, value in options["tags"].items()}
    services = ecs_api.describe_services(ecs, name, ecs_api.list_service_names(ecs, name))
    foreign = [
        service
        for service, described in sorted(services.items())
        if described["status"] == "ACTIVE"
        and service not in options["services"]
        and not own_tags.items() <= _tags(described).items()
    ]
    obstacles = []
    if foreign:
        obstacles.append(
            f"The ECS cluster {name} has services that are not of this environment: remove {', '.join(foreign)} first."
        )
    tasks = ecs_api.describe_tasks(ecs, name, ecs_api.list_tasks(ecs, cluster=name, desiredStatus="RUNNING"))
    single = sorted({task["group"].partition(":")[2] for task in tasks if not task["group"].startswith("service:")})
    if single:
        obstacles.append(
            f"The ECS cluster {name} runs tasks that belong to no service: stop those of {', '.join(single)}, or wait "
            "for their end."
        )
    running = sum(described.get("runningCount", 0) for service, described in services.items() if service not in foreign)
    lost = [f"The work of {counted(running, 'running task')} of the ECS cluster {name}."] if running else []
    return Findings(obstacles=obstacles, lost=lost)


def _tags(service: Mapping[str, Any]) -> dict[str, str]:
    tags: dict[str, str] = boto3_tag_list_to_ansible_dict(service.get("tags") or [], "key", "value")
    return tags


def load_balancer(elbv2: Any, options: Options) -> Findings:
    """Elastic Load Balancing deletes no protected load balancer, and no target group that another one forwards to."""
    name = options["name"]
    found = describe_load_balancer(elbv2, name)
    arn = found["LoadBalancerArn"] if found else ""
    obstacles = []
    if arn and options["deletion_protection"] is not False and _is_protected(elbv2, arn):
        obstacles.append(
            f"The load balancer {name} is protected from deletion: set load_balancer_deletion_protection to false."
        )
    group = describe_target_group(elbv2, options["target_group"]) if options["target_group"] else None
    # An ARN ends in loadbalancer/app/<name>/<id>.
    others = [other.split("/")[-2] for other in (group or {}).get("LoadBalancerArns", []) if other != arn]
    if others:
        obstacles.append(
            f"The target group {options['target_group']} is used by other load balancers: remove it from the listeners "
            f"of {', '.join(others)} first."
        )
    return Findings(obstacles=obstacles)


def _is_protected(elbv2: Any, arn: str) -> bool:
    return describe_attributes(elbv2, arn).get(PROTECTION) == "true"
