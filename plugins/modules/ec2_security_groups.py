#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_security_groups
version_added: 0.1.0
short_description: Manage the security groups of a VPC together
description:
  - Manages a list of security groups whose rules may name each other, in one run. All groups are created before any
    rule is written, so the order of the list does not matter and two groups may refer to each other.
  - Check mode is exact also when neither the groups nor the VPC exist yet.
  - Unlike M(amazon.aws.ec2_security_group) it survives a lost reply, and manages all groups of an environment in the
    time of one.
  - The rules of a group are exactly those given. A direction that is not given is left alone.
author:
  - SM2A contributors (@sm2a)
options:
  vpc_id:
    description:
      - The VPC of the groups.
    type: str
    required: true
  lookup_tags:
    description:
      - Tags that a group must carry to be managed. They are written at creation too. A group of a listed name without
        them belongs to somebody else; it is not removed, and an error when the name is to be present.
    type: dict
    default: {}
  purge_rules:
    description:
      - Remove the rules that are not asked for. V(false) only adds, and tells in RV(surplus_rules) what it left.
    type: bool
    default: true
  groups:
    description:
      - The groups to manage.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the group in the VPC.
        type: str
        required: true
      description:
        description: Description; used at creation only, because AWS cannot change it. Required when V(present).
        type: str
      state:
        description: Whether the group exists. Rules of listed groups that name an absent one are removed with it.
        type: str
        choices: [present, absent]
        default: present
      ingress:
        description: All TCP rules for incoming connections.
        type: list
        elements: dict
        suboptions: &rule
          ports:
            description: TCP ports.
            type: list
            elements: int
            required: true
          cidrs:
            description: IPv4 ranges.
            type: list
            elements: str
            default: []
          groups:
            description: Names of groups of this VPC.
            type: list
            elements: str
            default: []
          services:
            description: AWS services such as V(s3), of whose addresses AWS keeps a prefix list.
            type: list
            elements: str
            default: []
      egress:
        description: All TCP rules for outgoing connections.
        type: list
        elements: dict
        suboptions: *rule
  empty_default_group:
    description:
      - Remove all rules of the VPC's default security group.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
"""

EXAMPLES = r"""
- name: A database that only the application reaches
  sm2a.airflow.ec2_security_groups:
    vpc_id: vpc-0123456789abcdef0
    empty_default_group: true
    groups:
      - name: staging-application
        description: Application
        egress:
          - ports: [5432]
            groups: [staging-database]
          - ports: [443]
            cidrs: [0.0.0.0/0]
      - name: staging-database
        description: Database
        ingress:
          - ports: [5432]
            groups: [staging-application]
        egress: []
"""

RETURN = r"""
group_ids:
  description: Id of each group by its name. In check mode, ids of groups to be created are made of zeros.
  returned: always
  type: dict
  sample:
    staging-database: sg-0123456789abcdef0
unlisted:
  description: Names of the groups of the VPC that carry O(lookup_tags), if there are any, and are not in O(groups).
  returned: always
  type: list
  elements: str
surplus_rules:
  description: How many rules are there, or would be, that are not asked for. Always 0 with O(purge_rules=true).
  returned: always
  type: int
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    call,
    client,
    exit_with,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import describe_security_groups
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import (
    Run,
    delete_with_retries,
    placeholder,
    tags_of,
    wait_until_unused,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.security_group_rules import (
    ALLOW_ALL_OUT,
    PERMISSIONS,
    Rule,
    authorize,
    prefix_lists,
    revoke,
    rules_of,
    rules_wanted,
    shown,
)


@call("create a security group")
def create_group(run: Run, vpc_id: str, name: str, description: str) -> str:
    specification = run.tag_specification("security-group", name)
    members = {"VpcId": vpc_id, "GroupName": name, "Description": description, "TagSpecifications": specification}

    def find() -> str | None:
        groups = describe_security_groups(run.ec2, vpc_id)
        return next((str(group["GroupId"]) for group in groups if group["GroupName"] == name), None)

    group_id = create_once(
        run.ec2,
        lambda: str(run.ec2.create_security_group(**members)["GroupId"]),
        find,
        exists=("InvalidGroup.Duplicate",),
    )
    run.ec2.get_waiter("security_group_exists").wait(GroupIds=[group_id], WaiterConfig={"Delay": 1})
    return group_id


@call("delete a security group", missing=("InvalidGroup.NotFound",))
def delete_group(ec2: Any, group_id: str) -> None:
    delete_with_retries(lambda: ec2.delete_security_group(GroupId=group_id))


def refuse_foreign(run: Run, wanted: list[dict[str, Any]], existing: dict[str, dict[str, Any]]) -> None:
    """AnsibleAWSError when a group of a wanted name belongs to somebody else."""
    groups = [existing[group["name"]] for group in wanted if group["name"] in existing]
    foreign = [f"{group['GroupName']} ({group['GroupId']})" for group in groups if not run.owns(group)]
    if foreign:
        tags = ", ".join(f"{key}={value}" for key, value in run.lookup_tags.items())
        message = f"These security groups are not managed here, because they lack the tags {tags}: {', '.join(foreign)}"
        raise AnsibleAWSError(
            message=f"{message}. Rename or delete them, or add the tags so that they are managed here"
        )


def ensure_present(
    run: Run, params: dict[str, Any], wanted: list[dict[str, Any]], existing: dict[str, dict[str, Any]]
) -> tuple[dict[str, str], int]:
    """Create missing groups, then bring all rules to what is asked; their ids by name, and the rules left over."""
    refuse_foreign(run, wanted, existing)
    ids = {name: str(group["GroupId"]) for name, group in existing.items()}
    for index, group in enumerate(wanted):
        name = group["name"]
        if name not in ids and run.check_mode:
            ids[name] = placeholder("sg", index)
        elif name not in ids:
            ids[name] = create_group(run, params["vpc_id"], name, group["description"])
    rules = [rule for group in wanted for direction in PERMISSIONS for rule in group[direction] or []]
    services = sorted({service for rule in rules for service in rule["services"]})
    lists = prefix_lists(run.ec2, services) if services else {}
    surplus = 0
    for group in wanted:
        current = existing.get(group["name"])
        surplus += ensure_group(run, group, current, ids, lists, purge=params["purge_rules"])
    return {group["name"]: ids[group["name"]] for group in wanted}, surplus


def ensure_group(
    run: Run,
    group: dict[str, Any],
    current: dict[str, Any] | None,
    ids: dict[str, str],
    lists: dict[str, str],
    *,
    purge: bool,
) -> int:
    """Bring the rules and tags of one group, which exists by now, to what is asked; how many surplus rules it keeps."""
    name, group_id = group["name"], ids[group["name"]]
    names = {identifier: key for key, identifier in (*ids.items(), *lists.items())}
    before: dict[str, Any] = {"tags": tags_of(current)} if current else {}
    after: dict[str, Any] = {
        "tags": run.ensure_tags(group_id, name, tags_of(current)) if current else run.new_tags(name)
    }
    surplus = 0
    for direction in PERMISSIONS:
        has = rules_of(current, direction) if current else {ALLOW_ALL_OUT} if direction == "egress" else set()
        wants = has if group[direction] is None else rules_wanted(group[direction], ids, lists)
        if current and not purge:
            surplus += len(has - wants)
            wants = wants | has
        if not run.check_mode:
            write_rules(run.ec2, direction, group_id, has, wants)
        if current:
            before[direction] = shown(has, names)
        after[direction] = shown(wants, names)
    run.record(name, before, after)
    return surplus


def write_rules(ec2: Any, direction: str, group_id: str, has: set[Rule], wants: set[Rule]) -> None:
    """Add before removing, so that no connection that stays allowed is refused in between."""
    if wants - has:
        authorize(ec2, direction, group_id, wants - has)
    if has - wants:
        revoke(ec2, direction, group_id, has - wants)


def ensure_absent(run: Run, surplus: dict[str, dict[str, Any]], all_groups: dict[str, dict[str, Any]]) -> None:
    """Delete groups; first every rule of the VPC's groups that names one of them, for it would hold them."""
    doomed = {str(group["GroupId"]) for group in surplus.values()}
    for name, group in surplus.items():
        run.record(name, {direction: shown(rules_of(group, direction), {}) for direction in PERMISSIONS}, {})
    if run.check_mode:
        return
    for group in all_groups.values():
        for direction in PERMISSIONS:
            naming = {rule for rule in rules_of(group, direction) if rule[3] in doomed}
            if naming:
                revoke(run.ec2, direction, group["GroupId"], naming)
    wait_until_unused(run.ec2, "group-id", sorted(doomed), f"the security groups {', '.join(surplus)}")
    for group in surplus.values():
        delete_group(run.ec2, group["GroupId"])


def empty_group(run: Run, group: dict[str, Any] | None) -> None:
    """Remove every rule of the default group; None when the VPC is not there yet (AWS will create both)."""
    has = {direction: rules_of(group, direction) if group else {ALLOW_ALL_OUT} for direction in PERMISSIONS}
    run.record(
        "default",
        {direction: shown(rules, {}) for direction, rules in has.items()},
        {direction: [] for direction in PERMISSIONS},
    )
    if group and not run.check_mode:
        for direction, rules in has.items():
            if rules:
                revoke(run.ec2, direction, group["GroupId"], rules)


def ensure(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Bring all listed groups to their state; return the module's result."""
    existing = {group["GroupName"]: group for group in describe_security_groups(run.ec2, params["vpc_id"])}
    gone = {group["name"] for group in params["groups"] if group["state"] == "absent"}
    wanted = [group for group in params["groups"] if group["state"] == "present"]
    kept = {name: group for name, group in existing.items() if name not in gone}
    group_ids, surplus = ensure_present(run, params, wanted, kept)
    doomed = {name: group for name, group in existing.items() if name in gone and run.owns(group)}
    ensure_absent(run, doomed, existing)
    if params["empty_default_group"]:
        empty_group(run, existing.get("default"))
    listed = {group["name"] for group in params["groups"]}
    unlisted = sorted(name for name, group in existing.items() if name not in listed and run.owns(group))
    return run.result(group_ids=group_ids, unlisted=unlisted if params["lookup_tags"] else [], surplus_rules=surplus)


def main() -> None:
    names = {"type": "list", "elements": "str", "default": []}
    ports = {"type": "list", "elements": "int", "required": True}
    rule = {"ports": ports, "cidrs": names, "groups": names, "services": names}
    group = {
        "name": {"type": "str", "required": True},
        "description": {"type": "str"},
        **STATE_OPTION,
        "ingress": {"type": "list", "elements": "dict", "options": rule},
        "egress": {"type": "list", "elements": "dict", "options": rule},
    }
    required = [("state", "present", ("description",))]
    module = AnsibleAWSModule(
        argument_spec={
            "vpc_id": {"type": "str", "required": True},
            "lookup_tags": {"type": "dict", "default": {}},
            "groups": {"type": "list", "elements": "dict", "options": group, "required": True, "required_if": required},
            "purge_rules": {"type": "bool", "default": True},
            "empty_default_group": {"type": "bool", "default": False},
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    params = module.params
    run = Run(client(module, "ec2"), module.check_mode, params["tags"], params["purge_tags"], params["lookup_tags"])
    exit_with(module, lambda: ensure(run, params))


if __name__ == "__main__":
    main()
