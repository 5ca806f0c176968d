# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
name: ecs_task
short_description: The running tasks of an Amazon ECS cluster as hosts
version_added: 0.1.0
description:
  - Reads the running tasks of one cluster, such as an environment of SM2A, and makes a host of each.
  - A host is called by its service, or by the family of its task definition if it has none, and the first characters of
    the task's ID, for example C(scheduler-4b2a0d4e).
  - All hosts are in the group C(ecs_task), and in groups by their service (C(service_scheduler)), worker group
    (C(worker_group_default)), Availability Zone (C(availability_zone_eu_west_1a)) and digest of the image
    (C(image_digest_), and its first twelve characters). Names of groups have underscores for other characters.
  - Ansible connects to them with P(sm2a.airflow.ecs_exec#connection), unless O(compose) says otherwise. For that ECS
    Exec must be on, with C(cluster_execute_command=true); to list tasks it need not.
  - The name of the configuration file ends in C(ecs_task.yml) or C(ecs_task.yaml).
author:
  - SM2A contributors (@sm2a)
notes:
  - The caller needs the rights C(ecs:ListTasks) and C(ecs:DescribeTasks) and, to tell a cluster without tasks from one
    that does not exist, C(ecs:DescribeClusters).
  - O(profile), O(region) and O(endpoint_url) of this plugin count for its connections as well. Credentials and roles to
    assume do not, for variables of hosts are no place for them, so give them as a profile or in the environment.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [sm2a.airflow.ecs_task]
  cluster:
    description: Name or ARN of the cluster. That of an SM2A environment is called as the environment.
    type: str
    required: true
  services:
    description: Names of services. Only their tasks are hosts then.
    type: list
    elements: str
    default: []
  hostvars_prefix:
    description:
      - What the names of variables about the task begin with.
      - The variables are C(task_arn), C(task_id), C(cluster), C(service), C(component), C(worker_group),
        C(task_definition), C(started_at), C(health_status), C(private_ip), C(availability_zone), C(cpu), C(memory),
        C(launch_type), C(capacity_provider), C(platform_version), C(execute_command), C(containers) (a list with
        C(name), C(runtime_id), C(image), C(image_digest), C(status), C(health_status) and C(exec_agent_status)),
        C(container_names), C(runtime_ids), C(container), C(image), C(image_digest) (the last three of the main
        container) and C(tags).
      - In O(compose), O(groups) and O(keyed_groups) they have these names with and without the prefix.
    type: str
    default: ecs_
extends_documentation_fragment:
  - inventory_cache
  - constructed
  - amazon.aws.boto3
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
"""

EXAMPLES = r"""
# production.ecs_task.yml: all tasks of an environment.
#   ansible-inventory -i production.ecs_task.yml --graph
#   ansible -i production.ecs_task.yml service_scheduler -m ansible.builtin.raw -a "cat /proc/loadavg"
plugin: sm2a.airflow.ecs_task
region: eu-west-1
cluster: production

---
# Workers only, grouped by size and by whether they are healthy; kept for a minute.
plugin: sm2a.airflow.ecs_task
region: eu-west-1
cluster: production
services: [worker-default, worker-big]
keyed_groups:
  - key: memory
    prefix: memory
groups:
  unhealthy: health_status == 'UNHEALTHY'
compose:
  # Another container of the task.
  ansible_ecs_exec_container: "'metrics'"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: .cache/ecs_tasks
cache_timeout: 60
"""

from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase
from ansible_collections.sm2a.airflow.plugins.module_utils.common.error_advice import explained
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_task_hosts import Host, hosts

GROUP = "ecs_task"
# Options of this plugin that its connections need as well, and their variables.
OF_CONNECTIONS = {
    "region": "ansible_ecs_exec_region",
    "profile": "ansible_ecs_exec_profile",
    "endpoint_url": "ansible_ecs_exec_endpoint_url",
}


def running_tasks(ecs: Any, cluster: str) -> list[dict[str, Any]]:
    """The tasks that run; AnsibleAWSError when there is no such cluster."""
    arns = api.list_tasks(ecs, cluster=cluster, desiredStatus="RUNNING")
    if not arns and api.describe_cluster(ecs, cluster) is None:
        region = ecs.meta.region_name
        raise AnsibleAWSError(message=f"There is no ECS cluster {cluster} in {region}: correct cluster or region.")
    tasks = api.describe_tasks(ecs, cluster, arns, include=["TAGS"])
    return [task for task in tasks if task.get("lastStatus") == "RUNNING"]


class InventoryModule(AWSInventoryBase):  # type: ignore[misc]
    """Tasks as hosts."""

    NAME = "sm2a.airflow.ecs_task"
    INVENTORY_FILE_SUFFIXES = ("ecs_task.yml", "ecs_task.yaml")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache=cache)
        found, tasks = self.get_cached_result(path, cache)
        if not found:
            tasks = self._read()
        self.inventory.add_group(GROUP)
        for host in hosts(tasks, self.get_option("services")):
            self._add(host)
        if not found:
            self.update_cached_result(path, cache, tasks)

    def _read(self) -> list[dict[str, Any]]:
        try:
            tasks = running_tasks(self.client("ecs"), self.get_option("cluster"))
        except AnsibleAWSError as error:
            raise AnsibleError(explained(error)) from error
        return [_as_json(task) for task in tasks]

    def _add(self, host: Host) -> None:
        self.inventory.add_host(host.name, group=GROUP)
        for group in host.groups:
            self.inventory.add_host(host.name, group=self.inventory.add_group(self._sanitize_group_name(group)))
        prefix = self.get_option("hostvars_prefix") or ""
        named = {f"{prefix}{name}": value for name, value in host.variables.items()}
        given = {variable: self.get_option(option) for option, variable in OF_CONNECTIONS.items()}
        connection = {**host.connection, **{name: value for name, value in given.items() if value}}
        for name, value in {**named, **connection}.items():
            self.inventory.set_variable(host.name, name, value)
        variables = {**host.variables, **named, **connection}
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host.name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host.name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host.name, strict=strict)


def _as_json(value: Any) -> Any:
    """With times as text: caches keep JSON."""
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
