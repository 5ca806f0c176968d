# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of security groups: as EC2 lists them, as a module's options ask for them, and the calls between the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import error_code

# (protocol, first port, last port, source or target): None as port means all, as for protocol -1.
Rule = tuple[str, "int | None", "int | None", str]
PERMISSIONS = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}
# AWS gives a new group one rule, which lets everything out.
ALLOW_ALL_OUT: Rule = ("-1", None, None, "0.0.0.0/0")


@call("describe the prefix lists of AWS services")
def prefix_lists(ec2: Any, services: Sequence[str]) -> dict[str, str]:
    """Id of the prefix list of each service, by the service's name; what has none is left out."""
    names = {f"com.amazonaws.{ec2.meta.region_name}.{service}": service for service in services}
    filters = [{"Name": "prefix-list-name", "Values": sorted(names)}]
    found = ec2.get_paginator("describe_managed_prefix_lists").paginate(Filters=filters).build_full_result()
    return {names[one["PrefixListName"]]: one["PrefixListId"] for one in found["PrefixLists"]}


@call("remove rules of a security group")
def revoke(ec2: Any, direction: str, group_id: str, rules: set[Rule]) -> None:
    write = ec2.revoke_security_group_ingress if direction == "ingress" else ec2.revoke_security_group_egress
    _write(write, group_id, rules, "InvalidPermission.NotFound")


@call("add rules to a security group")
def authorize(ec2: Any, direction: str, group_id: str, rules: set[Rule]) -> None:
    write = ec2.authorize_security_group_ingress if direction == "ingress" else ec2.authorize_security_group_egress
    _write(write, group_id, rules, "InvalidPermission.Duplicate")


def _write(write: Callable[..., Any], group_id: str, rules: set[Rule], done: str) -> None:
    """One call for all rules; when AWS answers ``done`` for one of them, as after a lost reply, one call for each."""
    permissions = [permission(rule) for rule in sorted(rules, key=str)]
    try:
        write(GroupId=group_id, IpPermissions=permissions)
    except ClientError as error:
        if error_code(error) != done:
            raise
        for each in permissions:
            try:
                write(GroupId=group_id, IpPermissions=[each])
            except ClientError as again:
                if error_code(again) != done:
                    raise


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


def rules_of(group: Mapping[str, Any], direction: str) -> set[Rule]:
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


def rules_wanted(
    rules: Sequence[Mapping[str, Any]], group_ids: Mapping[str, str], lists: Mapping[str, str]
) -> set[Rule]:
    """The rules of a module's options; AnsibleAWSError when a named group or service is not there.

    ``group_ids``: id by name of the VPC's groups; ``lists``: prefix list by service.
    """
    wanted: set[Rule] = set()
    for rule in rules:
        unknown = sorted(set(rule["groups"]) - set(group_ids))
        if unknown:
            raise AnsibleAWSError(message=f"A rule names security groups that do not exist: {', '.join(unknown)}")
        unlisted = sorted(set(rule["services"]) - set(lists))
        if unlisted:
            raise AnsibleAWSError(message=f"AWS has no managed prefix list for: {', '.join(unlisted)}")
        peers = [
            *rule["cidrs"],
            *(group_ids[name] for name in rule["groups"]),
            *(lists[one] for one in rule["services"]),
        ]
        wanted.update(("tcp", port, port, peer) for port in rule["ports"] for peer in peers)
    return wanted


def shown(rules: set[Rule], names: Mapping[str, str]) -> list[str]:
    """Rules for the diff, with names for the ids of groups and prefix lists: ``tcp 5432 staging-application``."""
    lines = []
    for protocol, first, last, peer in rules:
        ports = "all" if first is None else str(first) if first == last else f"{first}-{last}"
        lines.append(f"{protocol} {ports} {names.get(peer, peer)}")
    return sorted(lines)
