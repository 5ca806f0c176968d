#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_removal_info
short_description: Say what the removal of an environment loses, and what stands in its way
version_added: 0.1.0
description:
  - Reads what C(playbooks/teardown.yml) removes, and says in plain sentences at what AWS would stop it, what will be
    lost, and what is kept on purpose.
  - It takes names and the choices with which the removal will run. What is not there, or not given, is not spoken of.
  - Images, objects and logs are counted by one page each; more are V(at least 1,000).
author:
  - SM2A contributors (@sm2a)
options:
  cluster:
    description: The ECS cluster. Services in it that neither have a name of O(cluster.services) nor carry
      O(cluster.tags) are obstacles, as the removal leaves them alone.
    type: dict
    suboptions:
      name: &name
        description: Its name.
        type: str
        required: true
      services:
        description: Names of the services that the removal removes.
        type: list
        elements: str
        default: []
      tags:
        description: Tags of services that the removal removes, whatever their names.
        type: dict
        required: true
  log_groups:
    description: Starts of the names of log groups that the removal deletes.
    type: list
    elements: str
    default: []
  repositories:
    description: ECR repositories.
    type: dict
    suboptions:
      names: &names
        description: Their names.
        type: list
        elements: str
        required: true
      force:
        description: Whether they are deleted with the images in them.
        type: bool
        default: false
  load_balancer:
    description: The Application Load Balancer.
    type: dict
    suboptions:
      name: *name
      target_group:
        description: Name of its target group, which other load balancers must not use.
        type: str
      deletion_protection: &deletion_protection
        description: V(false) lifts the protection.
        type: bool
        default: true
  queues:
    description: SQS queues.
    type: dict
    suboptions:
      name_prefix: &name_prefix
        description: Start of their names.
        type: str
        required: true
      tags: &tags
        description: Tags that each of them carries.
        type: dict
        required: true
  buckets:
    description: S3 buckets.
    type: dict
    suboptions:
      names: *names
      force:
        description: Whether they are deleted with everything in them; otherwise one that is not empty is kept.
        type: bool
        default: false
  database:
    description: The RDS DB instance.
    type: dict
    suboptions:
      identifier:
        description: Identifier of the DB instance.
        type: str
        required: true
      deletion_protection: *deletion_protection
      skip_final_snapshot:
        description: Whether the data is destroyed without a final snapshot.
        type: bool
        default: false
      final_snapshot_identifier:
        description: Name of the final snapshot, by default the identifier, C(-final-) and the time in UTC.
        type: str
      delete_automated_backups:
        description: Whether the automated backups go as well.
        type: bool
        default: true
  existing_database:
    description: A database that the removal leaves, in place of O(database).
    type: dict
    suboptions:
      address:
        description: Host name of the database.
        type: str
        required: true
      former_identifier:
        description: Identifier of the DB instance that the environment had before. With the former tags it is an
          obstacle, as it uses the environment's network and nothing removes it.
        type: str
        required: true
      former_tags:
        description: Tags by which that DB instance is the environment's.
        type: dict
        required: true
  secrets:
    description: Groups of secrets of Secrets Manager.
    type: list
    elements: dict
    default: []
    suboptions:
      name_prefix: *name_prefix
      tags: *tags
      recovery_window_in_days:
        description: Days in which they can be restored.
        type: int
        required: true
  kms_key:
    description: The KMS key.
    type: dict
    suboptions:
      alias:
        description: Alias of the key, with or without C(alias/).
        type: str
        required: true
      lookup_tags:
        description: Tags that no other key of the account and region carries.
        type: dict
        required: true
      destroy:
        description: Whether its deletion is scheduled.
        type: bool
        default: false
      pending_window:
        description: Days in which that can be cancelled.
        type: int
        default: 30
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
"""

EXAMPLES = r"""
- name: Look at the images and the database before they are removed
  sm2a.airflow.environment_removal_info:
    repositories:
      names: [staging/airflow, staging/autoscaler]
    database:
      identifier: staging
      deletion_protection: false
  register: removal

- name: Stop before anything is removed
  ansible.builtin.assert:
    that: removal.obstacles | length == 0
    fail_msg: "{{ removal.obstacles | join(' ') }}"
"""

RETURN = r"""
obstacles:
  description: Everything at which the removal would stop, a sentence each, with the variable that lifts it.
  returned: always
  type: list
  elements: str
  sample:
    - "The repository staging/airflow holds 3 images: set images_force_delete to true to lose them."
lost:
  description: What is gone afterwards, a sentence each; once the obstacles are lifted, if there are any.
  returned: always
  type: list
  elements: str
  sample:
    - 3 images in the repository staging/airflow.
kept:
  description: What the removal leaves, a sentence each.
  returned: always
  type: list
  elements: str
  sample:
    - The data of the database staging (postgres 17.6, 20 GiB), in the final snapshot staging-final.
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.removal import database, secrets, services, stores
from ansible_collections.sm2a.airflow.plugins.module_utils.removal.findings import Findings


def read(module: AnsibleAWSModule) -> Findings:
    """What is found, in the order in which the playbook removes it."""
    given, found = module.params, Findings()
    if given["cluster"]:
        found += services.cluster(client(module, "ecs"), given["cluster"])
    if given["log_groups"]:
        logs = client(module, "logs")
        found = sum((stores.log_groups(logs, prefix) for prefix in given["log_groups"]), found)
    if given["repositories"]:
        ecr, force = client(module, "ecr"), given["repositories"]["force"]
        found = sum((stores.repository(ecr, name, force) for name in given["repositories"]["names"]), found)
    if given["load_balancer"]:
        found += services.load_balancer(client(module, "elbv2"), given["load_balancer"])
    if given["queues"]:
        found += stores.queues(client(module, "sqs"), given["queues"])
    if given["buckets"]:
        s3, force = client(module, "s3"), given["buckets"]["force"]
        found = sum((stores.bucket(s3, name, force) for name in given["buckets"]["names"]), found)
    if given["database"]:
        found += database.database(client(module, "rds"), given["database"])
    if given["existing_database"]:
        found += database.existing(client(module, "rds"), given["existing_database"])
    if given["secrets"]:
        secretsmanager = client(module, "secretsmanager")
        found = sum((secrets.secrets(secretsmanager, group) for group in given["secrets"]), found)
    if given["kms_key"]:
        found += secrets.kms_key(client(module, "kms"), given["kms_key"])
    return found


def group(**options: dict[str, Any]) -> dict[str, Any]:
    """An option of suboptions."""
    return {"type": "dict", "options": options}


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    text = {"type": "str", "required": True}
    names = {"type": "list", "elements": "str", "required": True}
    tags = {"type": "dict", "required": True}
    off, on = {"type": "bool", "default": False}, {"type": "bool", "default": True}
    return {
        "cluster": group(name=text, services={"type": "list", "elements": "str", "default": []}, tags=tags),
        "log_groups": {"type": "list", "elements": "str", "default": []},
        "repositories": group(names=names, force=off),
        "load_balancer": group(name=text, deletion_protection=on, target_group={"type": "str"}),
        "queues": group(name_prefix=text, tags=tags),
        "buckets": group(names=names, force=off),
        "database": group(
            identifier=text,
            deletion_protection=on,
            skip_final_snapshot=off,
            final_snapshot_identifier={"type": "str"},
            delete_automated_backups=on,
        ),
        "existing_database": group(address=text, former_identifier=text, former_tags=tags),
        "secrets": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "no_log": False,
            "options": {
                "name_prefix": text,
                "tags": tags,
                "recovery_window_in_days": {"type": "int", "required": True},
            },
        },
        "kms_key": {
            **group(alias=text, lookup_tags=tags, destroy=off, pending_window={"type": "int", "default": 30}),
            "no_log": False,
        },
    }


def main() -> None:
    """Read what the removal of the environment means."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    exit_with(module, lambda: read(module).result())


if __name__ == "__main__":
    main()
