#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ecs_cluster
version_added: 0.1.0
short_description: Manage an Amazon ECS cluster
description:
  - Create, update and delete an ECS cluster with its settings, capacity providers, Service Connect default and
    ECS Exec configuration.
  - An option that is not set is left as it is; an option that is set is enforced.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Name of the cluster.
    type: str
    required: true
  state:
    description: Whether the cluster exists. Only an empty cluster can be deleted; an error names its services.
  settings:
    description: Cluster settings by name, for example C(containerInsights) with V(enabled), V(enhanced) or V(disabled).
    type: dict
  capacity_providers:
    description: Capacity providers that tasks may use, for example V(FARGATE) and V(FARGATE_SPOT).
    type: list
    elements: str
  default_capacity_provider_strategy:
    description: The strategy of tasks and services that name neither a strategy nor a launch type.
    type: list
    elements: dict
    suboptions:
      capacity_provider:
        description: Name of the capacity provider.
        type: str
        required: true
      weight:
        description: Relative share of the tasks.
        type: int
      base:
        description: How many tasks run on it before weights count.
        type: int
  service_connect_namespace:
    description: Name or ARN of the Cloud Map namespace that services use when they name none.
    type: str
  execute_command_configuration:
    description:
      - ECS Exec configuration as in the API, in snake_case, for example
        C(logging), C(kms_key_id), C(log_configuration). It replaces the whole configuration.
    type: dict
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A Fargate cluster with Container Insights
  sm2a.airflow.ecs_cluster:
    name: analytics
    settings:
      containerInsights: enhanced
    capacity_providers: [FARGATE, FARGATE_SPOT]
    default_capacity_provider_strategy:
      - capacity_provider: FARGATE
        weight: 1
    tags:
      team: data

- name: No such cluster
  sm2a.airflow.ecs_cluster:
    name: analytics
    state: absent
"""

RETURN = r"""
cluster:
  description: The cluster as it is now, or in check mode as it would be; empty when absent.
  type: dict
  returned: always
  contains:
    cluster_arn:
      description: ARN of the cluster.
      type: str
      sample: arn:aws:ecs:eu-west-1:123456789012:cluster/analytics
    cluster_name:
      description: Name of the cluster.
      type: str
    settings:
      description: Settings by name.
      type: dict
    capacity_providers:
      description: Capacity providers, sorted.
      type: list
      elements: str
    default_capacity_provider_strategy:
      description: The default strategy.
      type: list
      elements: dict
    service_connect_namespace:
      description: The default namespace of Service Connect.
      type: str
    execute_command_configuration:
      description: ECS Exec configuration.
      type: dict
    tags:
      description: Tags of the cluster.
      type: dict
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    manage,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import placeholder_arn
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api as ecs_api
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import model as ecs_model
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.compare import covers, is_empty, merged

# UpdateCluster replaces it, so a member that is no longer declared goes.
REPLACED = ("execute_command_configuration",)


def current_view(ecs: Any, cluster: dict[str, Any] | None) -> dict[str, Any]:
    """A described cluster with the names of this module's options; {} when there is none."""
    if not cluster:
        return {}
    configuration = cluster.get("configuration") or {}
    shape = ecs_model.input_shape(ecs, "CreateCluster").members["configuration"]
    return {
        "cluster_arn": cluster["clusterArn"],
        "cluster_name": cluster["clusterName"],
        "settings": {item["name"]: item["value"] for item in cluster.get("settings") or []},
        "capacity_providers": sorted(cluster.get("capacityProviders") or []),
        "default_capacity_provider_strategy": [
            ecs_model.to_snake(item, None) for item in cluster.get("defaultCapacityProviderStrategy") or []
        ],
        "service_connect_namespace": (cluster.get("serviceConnectDefaults") or {}).get("namespace", ""),
        "execute_command_configuration": ecs_model.to_snake(configuration, shape).get("execute_command_configuration")
        or {},
        "tags": ecs_api.tag_dict(cluster.get("tags")),
    }


def wanted_view(ecs: Any, params: dict[str, Any]) -> dict[str, Any]:
    """The declared options only, checked against the API's model."""
    wanted = {
        name: params[name]
        for name in (
            "settings",
            "capacity_providers",
            "default_capacity_provider_strategy",
            "service_connect_namespace",
            "execute_command_configuration",
        )
        if params[name] is not None
    }
    if "settings" in wanted:
        wanted["settings"] = {name: str(value) for name, value in wanted["settings"].items()}
    if "capacity_providers" in wanted:
        wanted["capacity_providers"] = sorted(wanted["capacity_providers"])
    if "default_capacity_provider_strategy" in wanted:
        wanted["default_capacity_provider_strategy"] = [
            {key: value for key, value in item.items() if value is not None}
            for item in wanted["default_capacity_provider_strategy"]
        ]
    if "execute_command_configuration" in wanted:
        shape = ecs_model.input_shape(ecs, "UpdateCluster").members["configuration"]
        given = {"execute_command_configuration": wanted["execute_command_configuration"]}
        wanted |= ecs_model.to_snake(ecs_model.to_aws(given, shape), shape)
    return wanted


def same(key: str, current: Any, wanted: Any) -> bool:
    """Whether an option of the cluster is as declared; False, empty and absent are the same."""
    if is_empty(current) and is_empty(wanted):
        return True
    return covers(current, wanted) and (key not in REPLACED or covers(current=wanted, wanted=current))


def update_members(ecs: Any, changes: dict[str, Any]) -> dict[str, Any]:
    """The members of UpdateCluster that carry ``changes``."""
    members: dict[str, Any] = {}
    if "settings" in changes:
        members["settings"] = [{"name": name, "value": value} for name, value in changes["settings"].items()]
    if "service_connect_namespace" in changes:
        members["serviceConnectDefaults"] = {"namespace": changes["service_connect_namespace"]}
    if "execute_command_configuration" in changes:
        shape = ecs_model.input_shape(ecs, "UpdateCluster").members["configuration"]
        given = {"execute_command_configuration": changes["execute_command_configuration"]}
        members["configuration"] = ecs_model.to_aws(given, shape)
    return members


def apply_changes(ecs: Any, name: str, current: dict[str, Any], changes: dict[str, Any]) -> None:
    """Bring an existing cluster to ``changes``."""
    members = update_members(ecs, changes)
    if members:
        ecs_api.update_cluster(ecs, name, **members)
    if "capacity_providers" in changes or "default_capacity_provider_strategy" in changes:
        result = current | changes
        shape = ecs_model.input_shape(ecs, "PutClusterCapacityProviders").members["defaultCapacityProviderStrategy"]
        strategy = ecs_model.to_aws(result["default_capacity_provider_strategy"], shape, "strategy")
        ecs_api.put_capacity_providers(ecs, name, result["capacity_providers"], strategy)


def ensure_present(ecs: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Create the cluster when missing, then enforce every declared option in the same way for a new and an old one."""
    name = params["name"]
    before = current_view(ecs, ecs_api.describe_cluster(ecs, name))
    wanted = wanted_view(ecs, params)
    current = before
    if not before:
        tags = {key: str(value) for key, value in (params["tags"] or {}).items()}
        if check_mode:
            arn = placeholder_arn(ecs, f"cluster/{name}")
            return Outcome(True, {}, {"cluster_arn": arn, "cluster_name": name, "tags": tags, **wanted})
        current = current_view(ecs, ecs_api.create_cluster(ecs, clusterName=name, tags=ecs_api.tag_list(tags)))
        current["tags"] = tags
    changes = {
        key: value if key in REPLACED else merged(current[key], value)
        for key, value in wanted.items()
        if not same(key, current[key], value)
    }
    tags_changed = tag_change(current["tags"], params["tags"], params["purge_tags"])
    if not check_mode:
        apply_changes(ecs, name, current, changes)
        if tags_changed:
            ecs_api.apply_tags(ecs, current["cluster_arn"], tags_changed)
    after = current | changes | {"tags": tags_changed.result}
    return Outcome(bool(not before or changes or tags_changed), before, after)


def ensure_absent(ecs: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Delete the cluster when it exists."""
    name = params["name"]
    before = current_view(ecs, ecs_api.describe_cluster(ecs, name))
    if before and not check_mode:
        described = ecs_api.describe_services(ecs, name, ecs_api.list_service_names(ecs, name))
        active = [service for service in described if described[service]["status"] == "ACTIVE"]
        if active:
            raise AnsibleAWSError(
                message=f"The ECS cluster {name} still has services: {', '.join(sorted(active))}; remove them first"
            )
        ecs_api.delete_cluster(ecs, name)
    return Outcome(bool(before), before, {})


def main() -> None:
    """Read the options, act, report."""
    strategy = {
        "capacity_provider": {"type": "str", "required": True},
        "weight": {"type": "int"},
        "base": {"type": "int"},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            **STATE_OPTION,
            "settings": {"type": "dict"},
            "capacity_providers": {"type": "list", "elements": "str"},
            "default_capacity_provider_strategy": {"type": "list", "elements": "dict", "options": strategy},
            "service_connect_namespace": {"type": "str"},
            "execute_command_configuration": {"type": "dict"},
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    manage(module, client(module, "ecs"), "cluster", ensure_present, ensure_absent)


if __name__ == "__main__":
    main()
