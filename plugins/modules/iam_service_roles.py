#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: iam_service_roles
version_added: 0.1.0
short_description: Manage IAM roles that an AWS service assumes
description:
  - Create, update and delete several IAM roles in one go, each with one inline policy and the managed policies that
    are named for it.
  - Unlike M(amazon.aws.iam_role) it manages the inline policy, shows a diff, and survives a lost reply.
  - Unlike M(amazon.aws.iam_policy) it predicts the policy of a role that is yet to be made.
  - Whatever else a role allows is removed, that is, other inline policies and other attached managed policies.
author:
  - SM2A contributors (@sm2a)
options:
  names:
    description: Names of roles that are to go, in place of O(roles); for O(state=absent) only.
    type: list
    elements: str
  roles:
    description: The roles.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the role.
        type: str
        required: true
      description:
        description: What the role is for.
        type: str
      statements:
        description: Statements of the inline policy, as in IAM's policy language. An empty list means no policy.
        type: list
        elements: dict
        default: []
      managed_policy_arns:
        description: ARNs of managed policies that are attached to the role.
        type: list
        elements: str
        default: []
  path:
    description:
      - IAM path of the roles. AWS fixes it when a role is created; another path for an existing role is an error.
    type: str
    default: /
  purge_name_prefix:
    description:
      - Also delete roles below O(path) whose name starts with this, that are not in O(roles) and that carry all tags of
        O(purge_where_tagged). With O(state=absent) as well.
    type: str
  purge_where_tagged:
    description: Tags without which O(purge_name_prefix) leaves a role alone.
    type: dict
  purge_except:
    description: Names of roles that O(purge_name_prefix) leaves alone.
    type: list
    elements: str
    default: []
  trust_statements:
    description: Statements of the trust policy of every role. Required with O(state=present).
    type: list
    elements: dict
  permissions_boundary:
    description: ARN of the permissions boundary of every role; an empty string removes it.
    type: str
  state:
    description: Whether the roles exist.
attributes:
  diff_mode:
    description: Shows the policies, boundary and tags of the roles that change.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A role of an ECS task
  sm2a.airflow.iam_service_roles:
    roles:
      - name: analytics-worker
        description: What the worker may do
        statements:
          - Effect: Allow
            Action: sqs:ReceiveMessage
            Resource: arn:aws:sqs:eu-west-1:123456789012:analytics
    trust_statements:
      - Effect: Allow
        Action: sts:AssumeRole
        Principal: {Service: ecs-tasks.amazonaws.com}
        Condition:
          StringEquals: {"aws:SourceAccount": "123456789012"}

- name: No such role
  sm2a.airflow.iam_service_roles:
    roles:
      - name: analytics-worker
    state: absent
"""

RETURN = r"""
roles:
  description: One entry per role, in the order given, then those that were purged.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the role.
      type: str
    arn:
      description: ARN of the role, in check mode with a placeholder for the account when it is yet to be made.
      type: str
      sample: arn:aws:iam::123456789012:role/analytics-worker
    changed:
      description: Whether this role changed.
      type: bool
arns:
  description: The same ARNs by name.
  type: dict
  returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.items import NAMES_OPTION, list_rules, listed_items
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, joint_result
from ansible_collections.sm2a.airflow.plugins.module_utils.iam import (
    attach_policy,
    create_role,
    delete_role,
    describe_role,
    detach_policy,
    document,
    put_inline_policy,
    remove_inline_policy,
    role_names,
    set_boundary,
    set_description,
    set_tags,
    set_trust,
)

POLICY_NAME = "permissions"


def wanted_view(params: dict[str, Any], role: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    """What the role looks like when it is as declared; the same members as describe_role, without the ARN."""
    inline = {POLICY_NAME: document(role["statements"])} if role["statements"] else {}
    boundary, description = params["permissions_boundary"], role["description"]
    tags = tag_change(current.get("tags", {}), params["tags"], params["purge_tags"])
    return {
        "trust": document(params["trust_statements"]),
        "inline_policies": inline,
        "attached_policies": sorted(role["managed_policy_arns"]),
        "permissions_boundary": current.get("permissions_boundary", "") if boundary is None else boundary,
        "description": current.get("description", "") if description is None else description,
        "tags": tags.result,
    }


def differing(current: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Members that are not as wanted; policies are compared by meaning, not by wording."""
    different = []
    for member, value in wanted.items():
        if member == "trust":
            same = not compare_policies(current[member], value)
        elif member == "inline_policies":
            same = current[member].keys() == value.keys() and not any(
                compare_policies(current[member][name], value[name]) for name in value
            )
        else:
            same = current[member] == value
        if not same:
            different.append(member)
    return different


def apply(iam: Any, name: str, current: dict[str, Any], wanted: dict[str, Any], members: list[str]) -> None:
    """Bring ``members`` of an existing role to ``wanted``."""
    # First: who changes the rest may be allowed to do so only with roles that carry the boundary.
    if "permissions_boundary" in members:
        set_boundary(iam, name, wanted["permissions_boundary"])
    if "trust" in members:
        set_trust(iam, name, wanted["trust"])
    if "description" in members:
        set_description(iam, name, wanted["description"])
    if "inline_policies" in members:
        for policy, content in wanted["inline_policies"].items():
            put_inline_policy(iam, name, policy, content)
        for policy in current["inline_policies"].keys() - wanted["inline_policies"].keys():
            remove_inline_policy(iam, name, policy)
    if "attached_policies" in members:
        for arn in sorted(set(wanted["attached_policies"]) - set(current["attached_policies"])):
            attach_policy(iam, name, arn)
        for arn in sorted(set(current["attached_policies"]) - set(wanted["attached_policies"])):
            detach_policy(iam, name, arn)
    if "tags" in members:
        set_tags(iam, name, tag_change(current["tags"], wanted["tags"], True))


def ensure_present(iam: Any, params: dict[str, Any], role: dict[str, Any], check_mode: bool) -> tuple[Outcome, str]:
    """Create the role when missing, then enforce what is declared; with its ARN."""
    name = role["name"]
    before = describe_role(iam, name)
    wanted = wanted_view(params, role, before)
    if before and before["path"] != params["path"]:
        raise AnsibleAWSError(
            message=f"The IAM role {name} has the path {before['path']}, which AWS cannot change; keep that path, "
            "or delete the role first"
        )
    current = before
    if not before:
        if check_mode:
            return Outcome(True, {}, wanted), f"arn:aws:iam::000000000000:role{params['path']}{name}"
        members: dict[str, Any] = {"Path": params["path"]}
        if wanted["description"]:
            members["Description"] = wanted["description"]
        if wanted["permissions_boundary"]:
            members["PermissionsBoundary"] = wanted["permissions_boundary"]
        current = create_role(
            iam, name, wanted["trust"], Tags=ansible_dict_to_boto3_tag_list(wanted["tags"]), **members
        )
    members_to_change = differing(current, wanted)
    if not check_mode:
        apply(iam, name, current, wanted, members_to_change)
    shown = {member: current[member] for member in wanted} if before else {}
    return Outcome(bool(not before or members_to_change), shown, wanted), current["arn"]


def ensure_absent(iam: Any, role: dict[str, Any], check_mode: bool) -> tuple[Outcome, str]:
    """Delete the role with its policies."""
    before = describe_role(iam, role["name"])
    if before and not check_mode:
        delete_role(iam, role["name"], before)
    return Outcome(bool(before), before, {}), ""


def unlisted(iam: Any, params: dict[str, Any]) -> list[str]:
    """Names of the roles that purge_name_prefix and purge_where_tagged mean."""
    prefix, wanted = params["purge_name_prefix"], params["purge_where_tagged"] or {}
    if not prefix:
        return []
    listed = [*params["purge_except"], *(role["name"] for role in params["roles"])]
    names = [name for name in role_names(iam, params["path"], prefix) if name not in listed]
    return [name for name in names if wanted.items() <= describe_role(iam, name).get("tags", {}).items()]


def run(iam: Any, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Every role in turn."""
    report, changed = [], {}
    for role in params["roles"]:
        if params["state"] == "present":
            outcome, arn = ensure_present(iam, params, role, check_mode)
        else:
            outcome, arn = ensure_absent(iam, role, check_mode)
        report.append({"name": role["name"], "arn": arn, "changed": outcome.changed})
        if outcome.changed:
            changed[role["name"]] = outcome
    for name in unlisted(iam, params):
        changed[name], _arn = ensure_absent(iam, {"name": name}, check_mode)
        report.append({"name": name, "arn": "", "changed": True})
    return joint_result(changed, roles=report, arns={entry["name"]: entry["arn"] for entry in report})


def main() -> None:
    """Manage the roles."""
    role_options = {
        "name": {"type": "str", "required": True},
        "description": {"type": "str"},
        "statements": {"type": "list", "elements": "dict", "default": []},
        "managed_policy_arns": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleAWSModule(
        argument_spec={
            **NAMES_OPTION,
            "roles": {"type": "list", "elements": "dict", "options": role_options},
            "path": {"type": "str", "default": "/"},
            "purge_name_prefix": {"type": "str"},
            "purge_where_tagged": {"type": "dict"},
            "purge_except": {"type": "list", "elements": "str", "default": []},
            "trust_statements": {"type": "list", "elements": "dict"},
            "permissions_boundary": {"type": "str"},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
        **list_rules("roles", purge="purge_name_prefix", present=["trust_statements"]),
    )
    module.params["roles"] = listed_items(module.params, "roles")
    exit_with(module, lambda: run(client(module, "iam"), module.params, module.check_mode))


if __name__ == "__main__":
    main()
