#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ecs_service
version_added: 0.1.0
short_description: Manage the services of an Amazon ECS cluster
description:
  - Create, update and delete services of one cluster, several in one go, and wait for all of them together.
  - Everything that the API can change is compared. An option that is not set is left as it is; an option that is set
    is enforced.
  - A deployment that had failed is started again.
  - Nested structures are those of the ECS API in snake_case. An unknown key is refused before any change.
author:
  - SM2A contributors (@sm2a)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  names:
    description: Names of services that are to go, in place of O(services); for O(state=absent) only.
    type: list
    elements: str
  services:
    description: The services.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the service.
        type: str
        required: true
      task_definition:
        description: Family (its latest active revision), family and revision, or ARN. Required to create a service.
        type: str
      desired_count:
        description: How many tasks run.
        type: int
      desired_count_on_creation_only:
        description: Leave the count of an existing service to whoever scales it.
        type: bool
        default: false
      launch_type:
        description: Launch type of a service that is created. O(services[].capacity_provider_strategy) changes it.
        type: str
      capacity_provider_strategy:
        description: Items with C(capacity_provider), C(weight), C(base).
        type: list
        elements: dict
      platform_version:
        description: Fargate platform version.
        type: str
      network_configuration:
        description: Where the tasks are attached.
        type: dict
        suboptions:
          subnets:
            description: Ids of subnets.
            type: list
            elements: str
            required: true
          security_groups:
            description: Ids of security groups.
            type: list
            elements: str
          assign_public_ip:
            description: Whether tasks get public addresses.
            type: bool
      load_balancers:
        description: Items with C(target_group_arn), C(container_name), C(container_port).
        type: list
        elements: dict
      service_registries:
        description: Cloud Map registries.
        type: list
        elements: dict
      health_check_grace_period_seconds:
        description: How long a new task may fail the load balancer's health checks.
        type: int
      deployment_configuration:
        description: Limits, circuit breaker, alarms. Members that are not given stay as they are.
        type: dict
      availability_zone_rebalancing:
        description: Whether ECS spreads tasks over zones again after a zone has failed.
        type: str
        choices: [ENABLED, DISABLED]
      enable_execute_command:
        description: Whether ECS Exec is allowed. A change starts a new deployment.
        type: bool
      enable_ecs_managed_tags:
        description: Whether ECS adds its own tags to tasks. A change starts a new deployment.
        type: bool
      propagate_tags:
        description: Where tasks get their tags from. A change starts a new deployment.
        type: str
        choices: [TASK_DEFINITION, SERVICE, NONE]
      placement_constraints:
        description: Placement constraints.
        type: list
        elements: dict
      placement_strategy:
        description: Placement strategy.
        type: list
        elements: dict
      service_connect_configuration:
        description: Service Connect.
        type: dict
      volume_configurations:
        description: Volumes that are configured at launch.
        type: list
        elements: dict
      vpc_lattice_configurations:
        description: VPC Lattice target groups.
        type: list
        elements: dict
      force_new_deployment:
        description: Start a new deployment even when nothing differs; always a change.
        type: bool
        default: false
      tags:
        description: Tags of this service, added to O(tags).
        type: dict
  purge_name_prefix:
    description:
      - Also delete services of the cluster whose name starts with this, that are not listed in O(services) and that
        carry all tags of O(purge_where_tagged). With O(state=present) they go when the listed ones are steady.
    type: str
  purge_where_tagged:
    description: Tags without which O(purge_name_prefix) leaves a service alone.
    type: dict
  purge_except:
    description: Names of services that O(purge_name_prefix) leaves alone.
    type: list
    elements: str
    default: []
  drain_timeout:
    description:
      - Seconds that a service which is deleted has, at a count of 0, for its tasks with scale-in protection to end.
        V(0) stops all of them at once.
    type: int
    default: 0
  state:
    description:
      - Whether the services exist. V(absent) stops their tasks and, with O(wait), waits until they are gone.
  wait:
    description: Wait until every service is steady, or fail with the reason why one is not. A service is also steady
      while healthy tasks run as many as desired, and the only others are of earlier deployments and hold scale-in
      protection.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait.
    type: int
    default: 1200
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.ecs_tasks
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A web service and a worker whose count belongs to an autoscaler
  sm2a.airflow.ecs_service:
    cluster: analytics
    services:
      - name: web
        task_definition: analytics-web:7
        desired_count: 2
        launch_type: FARGATE
        network_configuration:
          subnets: [subnet-0123, subnet-4567]
          security_groups: [sg-0123]
          assign_public_ip: false
        deployment_configuration:
          deployment_circuit_breaker: {enable: true, rollback: true}
      - name: worker
        task_definition: analytics-worker:3
        desired_count: 1
        desired_count_on_creation_only: true
        launch_type: FARGATE
        network_configuration:
          subnets: [subnet-0123, subnet-4567]

- name: No services
  sm2a.airflow.ecs_service:
    cluster: analytics
    services:
      - name: web
      - name: worker
    state: absent
"""

RETURN = r"""
services:
  description: One entry per service in the order given, then those that were purged.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the service.
      type: str
    changed:
      description: Whether this service changed.
      type: bool
    arn:
      description: ARN of the service; empty when absent or not yet made.
      type: str
    task_definition:
      description: Family and revision; empty when absent.
      type: str
    task_definition_arn:
      description: ARN of that revision; in check mode the name, when there is no such task definition yet.
      type: str
    deployment:
      description: Id of its current deployment, for M(sm2a.airflow.ecs_service_wait); empty when there is none.
      type: str
    desired_count:
      description: How many tasks are to run.
      type: int
    running_count:
      description: How many tasks run.
      type: int
    finishing_count:
      description: How many of them are of an earlier deployment. They hold scale-in protection, and ECS stops each when
        it has given that back; the wait does not wait for them.
      type: int
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.items import NAMES_OPTION, list_rules, listed_items
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, joint_result
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.options import PLACE_OPTIONS, WATCH_OPTIONS
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.services import ensure_absent, ensure_present
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.stopped_tasks import Reader


def result(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """The module's output: per service, and one diff of those that changed."""
    outcomes = {entry["name"]: Outcome(entry["changed"], *entry.pop("diff")) for entry in reports}
    return joint_result(outcomes, services=reports)


def item_options() -> dict[str, Any]:
    """The argument spec of one service."""
    dictionaries = {"type": "list", "elements": "dict"}
    return {
        "name": {"type": "str", "required": True},
        "task_definition": {"type": "str"},
        "desired_count": {"type": "int"},
        "desired_count_on_creation_only": {"type": "bool", "default": False},
        **PLACE_OPTIONS,
        "load_balancers": dictionaries,
        "service_registries": dictionaries,
        "health_check_grace_period_seconds": {"type": "int"},
        "deployment_configuration": {"type": "dict"},
        "availability_zone_rebalancing": {"type": "str", "choices": ["ENABLED", "DISABLED"]},
        "enable_execute_command": {"type": "bool"},
        "enable_ecs_managed_tags": {"type": "bool"},
        "propagate_tags": {"type": "str", "choices": ["TASK_DEFINITION", "SERVICE", "NONE"]},
        "placement_constraints": dictionaries,
        "placement_strategy": dictionaries,
        "service_connect_configuration": {"type": "dict"},
        "volume_configurations": dictionaries,
        "vpc_lattice_configurations": dictionaries,
        "force_new_deployment": {"type": "bool", "default": False},
        "tags": {"type": "dict"},
    }


def main() -> None:
    """Read the options, act, report."""
    module = AnsibleAWSModule(
        argument_spec={
            "cluster": {"type": "str", "required": True},
            **NAMES_OPTION,
            "services": {"type": "list", "elements": "dict", "options": item_options()},
            "purge_name_prefix": {"type": "str"},
            "purge_where_tagged": {"type": "dict"},
            "purge_except": {"type": "list", "elements": "str", "default": []},
            "drain_timeout": {"type": "int", "default": 0},
            **STATE_OPTION,
            "wait": {"type": "bool", "default": True},
            "wait_timeout": {"type": "int", "default": 1200},
            **WATCH_OPTIONS,
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
        **list_rules("services", purge="purge_name_prefix"),
    )
    module.params["services"] = listed_items(module.params, "services")
    ensure = ensure_present if module.params["state"] == "present" else ensure_absent
    reader = Reader(client(module, "ecs"), lambda: client(module, "logs"), module.params["log_lines"])
    exit_with(module, lambda: result(ensure(reader, module.params, module.check_mode)))


if __name__ == "__main__":
    main()
