#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ecs_task_definition
version_added: 0.1.0
short_description: Manage Amazon ECS task definitions
description:
  - Register task definitions for Fargate, several in one go. A family gets a new revision only when its content differs
    from that of its latest active revision.
  - A revision is immutable, so it holds what is declared and nothing else; only tags that are not set are left alone.
  - Keys of nested structures are those of the ECS API in snake_case (C(log_configuration), C(size_in_gib)).
    An unknown key is refused before any change.
author:
  - SM2A contributors (@sm2a)
options:
  names:
    description: Families that are to go, in place of O(task_definitions); for O(state=absent) only.
    type: list
    elements: str
  task_definitions:
    description: The task definitions.
    type: list
    elements: dict
    suboptions:
      family:
        description: Family of the task definition.
        type: str
        required: true
      container_definitions:
        description:
          - Containers as in the API, in snake_case. Required with O(state=present).
          - C(environment) (name to value) and C(secrets) (name to ARN) may be dictionaries.
        type: list
        elements: dict
      cpu:
        description: CPU units of the task, 1024 being one virtual CPU.
        type: int
      memory:
        description: Memory of the task in MiB.
        type: int
      execution_role_arn:
        description: Role that ECS uses to pull the image and to write logs.
        type: str
      task_role_arn:
        description: Role of the containers.
        type: str
      network_mode:
        description: Network mode.
        type: str
        default: awsvpc
      requires_compatibilities:
        description: Launch types that the task definition must suit.
        type: list
        elements: str
        default: [FARGATE]
      runtime_platform:
        description: C(cpu_architecture) and C(operating_system_family).
        type: dict
      ephemeral_storage:
        description: C(size_in_gib) of the task's disk.
        type: dict
      volumes:
        description: Volumes as in the API, in snake_case.
        type: list
        elements: dict
      pid_mode:
        description: Whose processes the containers see.
        type: str
      tags:
        description: Tags of this task definition, added to O(tags).
        type: dict
  purge_family_prefix:
    description:
      - Also delete families whose name starts with this, that are not in O(task_definitions) and whose latest revision
        carries all tags of O(purge_where_tagged).
    type: str
  purge_where_tagged:
    description: Tags without which O(purge_family_prefix) leaves a family alone.
    type: dict
  purge_except:
    description: Names of families that O(purge_family_prefix) leaves alone.
    type: list
    elements: str
    default: []
  state:
    description: Whether the families have an active revision; V(absent) deregisters and deletes every revision.
notes:
  - Tags whose key starts with C(sm2a:completed-run) are the record of M(sm2a.airflow.ecs_task) and are never purged.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A web server
  sm2a.airflow.ecs_task_definition:
    task_definitions:
      - family: analytics-web
        cpu: 256
        memory: 512
        execution_role_arn: arn:aws:iam::123456789012:role/analytics-execution
        container_definitions:
          - name: web
            image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:0123
            readonly_root_filesystem: true
            port_mappings:
              - container_port: 8080
            environment:
              LOG_LEVEL: info

- name: No revision is left
  sm2a.airflow.ecs_task_definition:
    task_definitions:
      - family: analytics-web
    state: absent
"""

RETURN = r"""
task_definitions:
  description: One entry per family, in the order given.
  type: list
  elements: dict
  returned: always
  contains:
    family:
      description: The family.
      type: str
    arn:
      description:
        - ARN of the latest active revision, in check mode of the one that would be registered. Empty when absent.
      type: str
      sample: arn:aws:ecs:eu-west-1:123456789012:task-definition/analytics-web:7
    revision:
      description: Number of that revision.
      type: int
    changed:
      description: Whether this family changed.
      type: bool
arns:
  description: The same ARNs by family.
  type: dict
  returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    TagChange,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.items import NAMES_OPTION, list_rules, listed_items
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, joint_result
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api as ecs_api
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import model as ecs_model
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.compare import comparable_task_definition
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs.run_record import RECORD_PREFIX

# Maps that may be written as dictionaries, and the API's name of a value.
NAMED_VALUES = {"environment": "value", "secrets": "value_from"}


def container_with_lists(container: dict[str, Any]) -> dict[str, Any]:
    """A container whose environment and secrets are lists, as the API wants them."""
    result = dict(container)
    for name, value_name in NAMED_VALUES.items():
        pairs = container.get(name)
        if isinstance(pairs, dict):
            result[name] = [{"name": key, value_name: value} for key, value in pairs.items()]
    return result


def wanted_definition(ecs: Any, item: dict[str, Any]) -> dict[str, Any]:
    """The members of RegisterTaskDefinition that one item of task_definitions declares, tags apart."""
    family = item["family"]
    if not item["container_definitions"]:
        raise AnsibleAWSError(message=f"{family}: container_definitions is required with state=present")
    values = {key: value for key, value in item.items() if key != "tags" and value is not None}
    values["container_definitions"] = [container_with_lists(each) for each in item["container_definitions"]]
    definition: dict[str, Any] = ecs_model.to_aws(values, ecs_model.input_shape(ecs, "RegisterTaskDefinition"), family)
    return definition


def wanted_tags(params: dict[str, Any], item: dict[str, Any]) -> dict[str, str] | None:
    """Common tags and the item's own; None when neither was given."""
    if params["tags"] is None and item["tags"] is None:
        return None
    return {key: str(value) for key, value in ((params["tags"] or {}) | (item["tags"] or {})).items()}


def tag_difference(current: dict[str, str], wanted: dict[str, str] | None, purge: bool) -> TagChange:
    """Like tag_change, but records of completed runs stay."""
    records = {key: value for key, value in current.items() if key.startswith(RECORD_PREFIX)}
    return tag_change(current, None if wanted is None else records | wanted, purge)


def predicted_arn(ecs: Any, definition: dict[str, Any], latest: dict[str, Any] | None) -> str:
    """ARN of the revision that would be registered; the account is that of a role when no revision tells it."""
    if latest:
        stem = latest["taskDefinitionArn"].rsplit(":", 1)[0]
        return f"{stem}:{latest['revision'] + 1}"
    role = definition.get("executionRoleArn") or definition.get("taskRoleArn") or ""
    account = role.split(":")[4] if role.startswith("arn:") else "000000000000"
    return f"arn:aws:ecs:{ecs.meta.region_name}:{account}:task-definition/{definition['family']}:1"


def diff_view(definition: dict[str, Any] | None, tags: dict[str, str]) -> dict[str, Any]:
    """What --diff shows of a definition."""
    content = comparable_task_definition(definition) if definition else {}
    return {**ecs_model.to_snake(content, None), "tags": tags} if content else {}


def ensure_present(ecs: Any, params: dict[str, Any], item: dict[str, Any], check_mode: bool) -> tuple[Outcome, str]:
    """Register a revision when the content differs, else bring the tags of the latest up to date; with its ARN."""
    definition = wanted_definition(ecs, item)
    tags = wanted_tags(params, item)
    latest = ecs_api.describe_revision(ecs, item["family"])
    before = diff_view(latest, latest["tags"]) if latest else {}
    wanted = comparable_task_definition(definition)
    if latest and comparable_task_definition(latest) == wanted:
        change = tag_difference(latest["tags"], tags, params["purge_tags"])
        if change and not check_mode:
            ecs_api.apply_tags(ecs, latest["taskDefinitionArn"], change)
        return Outcome(bool(change), before, before | {"tags": change.result}), latest["taskDefinitionArn"]
    outcome = Outcome(True, before, diff_view(definition, tags or {}))
    if check_mode:
        return outcome, predicted_arn(ecs, definition, latest)
    tag_members = {"tags": ecs_api.tag_list(tags)} if tags else {}

    def registered() -> dict[str, Any] | None:
        newest: dict[str, Any] | None = ecs_api.describe_revision(ecs, item["family"])
        return newest if newest and comparable_task_definition(newest) == wanted else None

    return outcome, ecs_api.register_task_definition(ecs, registered, **definition, **tag_members)["taskDefinitionArn"]


def ensure_absent(ecs: Any, item: dict[str, Any], check_mode: bool) -> tuple[Outcome, str]:
    """Deregister the active revisions of a family and delete all."""
    active = ecs_api.list_revisions(ecs, item["family"], "ACTIVE")
    inactive = ecs_api.list_revisions(ecs, item["family"], "INACTIVE")
    revisions = [*active, *inactive]
    if revisions and not check_mode:
        for arn in active:
            ecs_api.deregister_revision(ecs, arn)
        ecs_api.delete_revisions(ecs, revisions)
    return Outcome(bool(revisions), {"revisions": revisions} if revisions else {}, {}), ""


def unlisted(ecs: Any, params: dict[str, Any]) -> list[str]:
    """Families that purge_family_prefix and purge_where_tagged mean."""
    prefix, wanted = params["purge_family_prefix"], params["purge_where_tagged"] or {}
    if not prefix:
        return []
    listed = [*params["purge_except"], *(item["family"] for item in params["task_definitions"])]
    families = [family for family in ecs_api.list_families(ecs, prefix) if family not in listed]
    latest = {family: ecs_api.describe_revision(ecs, family) or {"tags": {}} for family in families}
    return [family for family in families if wanted.items() <= latest[family]["tags"].items()]


def run(ecs: Any, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Every family in turn; all definitions are checked before the first change."""
    present = params["state"] == "present"
    items = params["task_definitions"]
    if present:
        for item in items:
            wanted_definition(ecs, item)
    report: list[dict[str, Any]] = []
    changed: dict[str, Outcome] = {}
    for item in items:
        family = item["family"]
        outcome, arn = (
            ensure_present(ecs, params, item, check_mode) if present else ensure_absent(ecs, item, check_mode)
        )
        revision = int(arn.rsplit(":", 1)[1]) if arn else 0
        report.append({"family": family, "arn": arn, "revision": revision, "changed": outcome.changed})
        if outcome.changed:
            changed[family] = outcome
    for family in unlisted(ecs, params):
        changed[family], _arn = ensure_absent(ecs, {"family": family}, check_mode)
        report.append({"family": family, "arn": "", "revision": 0, "changed": True})
    arns = {entry["family"]: entry["arn"] for entry in report}
    return joint_result(changed, task_definitions=report, arns=arns)


def item_options() -> dict[str, Any]:
    """The argument spec of one task definition."""
    return {
        "family": {"type": "str", "required": True},
        "container_definitions": {"type": "list", "elements": "dict"},
        "cpu": {"type": "int"},
        "memory": {"type": "int"},
        "execution_role_arn": {"type": "str"},
        "task_role_arn": {"type": "str"},
        "network_mode": {"type": "str", "default": "awsvpc"},
        "requires_compatibilities": {"type": "list", "elements": "str", "default": ["FARGATE"]},
        "runtime_platform": {"type": "dict"},
        "ephemeral_storage": {"type": "dict"},
        "volumes": {"type": "list", "elements": "dict"},
        "pid_mode": {"type": "str"},
        "tags": {"type": "dict"},
    }


def main() -> None:
    """Read the options, act, report."""
    module = AnsibleAWSModule(
        argument_spec={
            **NAMES_OPTION,
            "task_definitions": {"type": "list", "elements": "dict", "options": item_options()},
            "purge_family_prefix": {"type": "str"},
            "purge_where_tagged": {"type": "dict"},
            "purge_except": {"type": "list", "elements": "str", "default": []},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
        **list_rules("task_definitions", purge="purge_family_prefix"),
    )
    module.params["task_definitions"] = listed_items(module.params, "task_definitions", "family")
    exit_with(module, lambda: run(client(module, "ecs"), module.params, module.check_mode))


if __name__ == "__main__":
    main()
