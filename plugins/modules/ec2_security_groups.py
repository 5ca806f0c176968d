#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

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
  - The rules of a group are exactly those given. A direction that is not given is left alone.
author:
  - SM2A contributors (@sm2a)
options:
  vpc_id:
    description:
      - The VPC of the groups.
    type: str
    required: true
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
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import STATE_OPTION, TAG_OPTIONS, call, client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2 import Run, delete_patiently, placeholder, tags_of
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2_network import describe_security_groups

# (protocol, first port, last port, source or target): None as port means all, as for protocol -1.
Rule = tuple[str, "int | None", "int | None", str]
PERMISSIONS = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}
ALLOW_ALL_OUT: Rule = ("-1", None, None, "0.0.0.0/0")


@call("create a security group")
def create_group(run: Run, vpc_id: str, name: str, description: str) -> str:
    specification = run.tag_specification("security-group", name)
    made = run.ec2.create_security_group(
        VpcId=vpc_id, GroupName=name, Description=description, TagSpecifications=specification
    )
    run.ec2.get_waiter("security_group_exists").wait(GroupIds=[made["GroupId"]], WaiterConfig={"Delay": 1})
    return str(made["GroupId"])


@call("delete a security group", missing=("InvalidGroup.NotFound",))
def delete_group(ec2: Any, group_id: str) -> None:
    delete_patiently(lambda: ec2.delete_security_group(GroupId=group_id))


@call("remove rules of a security group", missing=("InvalidPermission.NotFound",))
def revoke(ec2: Any, direction: str, group_id: str, rules: set[Rule]) -> None:
    write = ec2.revoke_security_group_ingress if direction == "ingress" else ec2.revoke_security_group_egress
    write(GroupId=group_id, IpPermissions=[permission(rule) for rule in sorted(rules, key=str)])


@call("add rules to a security group")
def authorize(ec2: Any, direction: str, group_id: str, rules: set[Rule]) -> None:
    write = ec2.authorize_security_group_ingress if direction == "ingress" else ec2.authorize_security_group_egress
    write(GroupId=group_id, IpPermissions=[permission(rule) for rule in sorted(rules, key=str)])


def permission(rule: Rule) -> dict[str, Any]:
    """A rule as EC2 wants it."""
    protocol, first, last, peer = rule
    ports = {} if first is None else {"FromPort": first, "ToPort": last}
    if peer.startswith("sg-"):
        return {"IpProtocol": protocol, **ports, "UserIdGroupPairs": [{"GroupId": peer}]}
    if peer.startswith("pl-"):
        return {"IpProtocol": protocol, **ports, "PrefixListIds": [{"PrefixListId": peer}]}
    if ":" in peer:
        return {"IpProtocol": protocol, **ports, "Ipv6Ranges": [{"CidrIpv6": peer}]}
    return {"IpProtocol": protocol, **ports, "IpRanges": [{"CidrIp": peer}]}


def rules_of(group: dict[str, Any], direction: str) -> set[Rule]:
    """The rules that a group has, one per protocol, port range and peer."""
    rules: set[Rule] = set()
    for one in group.get(PERMISSIONS[direction], []):
        peers = [pair["GroupId"] for pair in one.get("UserIdGroupPairs", []) if pair.get("GroupId")]
        peers += [entry["CidrIp"] for entry in one.get("IpRanges", [])]
        peers += [entry["CidrIpv6"] for entry in one.get("Ipv6Ranges", [])]
        peers += [entry["PrefixListId"] for entry in one.get("PrefixListIds", [])]
        ports = (None, None) if one["IpProtocol"] == "-1" else (one.get("FromPort"), one.get("ToPort"))
        rules.update((one["IpProtocol"], *ports, peer) for peer in peers)
    return rules


def rules_wanted(rules: list[dict[str, Any]], group_ids: dict[str, str]) -> set[Rule]:
    """The rules of the module's options; AnsibleAWSError when a named group is neither listed nor in the VPC."""
    wanted: set[Rule] = set()
    for rule in rules:
        unknown = sorted(set(rule["groups"]) - set(group_ids))
        if unknown:
            raise AnsibleAWSError(message=f"A rule names security groups that do not exist: {', '.join(unknown)}")
        peers = [*rule["cidrs"], *(group_ids[name] for name in rule["groups"])]
        wanted.update(("tcp", port, port, peer) for port in rule["ports"] for peer in peers)
    return wanted


def shown(rules: set[Rule], names: dict[str, str]) -> list[str]:
    """Rules for the diff, with names for the ids of groups: ``tcp 5432 staging-application``."""
    lines = []
    for protocol, first, last, peer in rules:
        ports = "all" if first is None else str(first) if first == last else f"{first}-{last}"
        lines.append(f"{protocol} {ports} {names.get(peer, peer)}")
    return sorted(lines)


def ensure_present(
    run: Run, vpc_id: str, wanted: list[dict[str, Any]], existing: dict[str, dict[str, Any]]
) -> dict[str, str]:
    """Create missing groups, then bring all rules to what is asked; return the ids by name."""
    ids = {name: str(group["GroupId"]) for name, group in existing.items()}
    for index, group in enumerate(wanted):
        name = group["name"]
        if name not in ids and run.check_mode:
            ids[name] = placeholder("sg", index)
        elif name not in ids:
            ids[name] = create_group(run, vpc_id, name, group["description"])
    for group in wanted:
        ensure_group(run, group, existing.get(group["name"]), ids)
    return {group["name"]: ids[group["name"]] for group in wanted}


def ensure_group(run: Run, group: dict[str, Any], current: dict[str, Any] | None, ids: dict[str, str]) -> None:
    """Bring the rules and tags of one group, which exists by now, to what is asked."""
    name, group_id = group["name"], ids[group["name"]]
    names = {identifier: key for key, identifier in ids.items()}
    before: dict[str, Any] = {"tags": tags_of(current)} if current else {}
    after: dict[str, Any] = {
        "tags": run.ensure_tags(group_id, name, tags_of(current)) if current else run.new_tags(name)
    }
    for direction in PERMISSIONS:
        # AWS gives a new group one rule, which lets everything out.
        has = rules_of(current, direction) if current else {ALLOW_ALL_OUT} if direction == "egress" else set()
        wants = has if group[direction] is None else rules_wanted(group[direction], ids)
        if not run.check_mode:
            write_rules(run.ec2, direction, group_id, has, wants)
        if current:
            before[direction] = shown(has, names)
        after[direction] = shown(wants, names)
    run.record(name, before, after)


def write_rules(ec2: Any, direction: str, group_id: str, has: set[Rule], wants: set[Rule]) -> None:
    """Add before removing, so that no connection that stays allowed is refused in between."""
    if wants - has:
        authorize(ec2, direction, group_id, wants - has)
    if has - wants:
        revoke(ec2, direction, group_id, has - wants)


def ensure_absent(run: Run, surplus: dict[str, dict[str, Any]], all_groups: dict[str, dict[str, Any]]) -> None:
    """Delete groups; first every rule of the VPC's groups that names one of them, for it would hold them."""
    doomed = {group["GroupId"] for group in surplus.values()}
    for name, group in surplus.items():
        run.record(name, {direction: shown(rules_of(group, direction), {}) for direction in PERMISSIONS}, {})
    if run.check_mode:
        return
    for group in all_groups.values():
        for direction in PERMISSIONS:
            naming = {rule for rule in rules_of(group, direction) if rule[3] in doomed}
            if naming:
                revoke(run.ec2, direction, group["GroupId"], naming)
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


def ensure(run: Run, params: dict[str, Any]) -> dict[str, str]:
    """Bring all listed groups to their state; return the ids of those present by name."""
    existing = {group["GroupName"]: group for group in describe_security_groups(run.ec2, params["vpc_id"])}
    gone = {group["name"] for group in params["groups"] if group["state"] == "absent"}
    wanted = [group for group in params["groups"] if group["state"] == "present"]
    kept = {name: group for name, group in existing.items() if name not in gone}
    group_ids = ensure_present(run, params["vpc_id"], wanted, kept)
    ensure_absent(run, {name: group for name, group in existing.items() if name in gone}, existing)
    if params["empty_default_group"]:
        empty_group(run, existing.get("default"))
    return group_ids


def main() -> None:
    rule = {
        "ports": {"type": "list", "elements": "int", "required": True},
        "cidrs": {"type": "list", "elements": "str", "default": []},
        "groups": {"type": "list", "elements": "str", "default": []},
    }
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
            "groups": {"type": "list", "elements": "dict", "options": group, "required": True, "required_if": required},
            "empty_default_group": {"type": "bool", "default": False},
            **TAG_OPTIONS,
        },
        supports_check_mode=True,
    )
    params = module.params
    run = Run(client(module, "ec2"), module.check_mode, params["tags"], params["purge_tags"])
    exit_with(module, lambda: run.result(group_ids=ensure(run, params)))


if __name__ == "__main__":
    main()
