# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The network ACLs of a network's public and private subnets: a second, stateless line behind the security groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.network import Network, describe_network_acls
from ansible_collections.sm2a.airflow.plugins.module_utils.ec2.resources import (
    Run,
    create_or_replace,
    delete_with_retries,
    settle,
    tags_of,
)

ANYWHERE = "0.0.0.0/0"
TIERS = ("public", "private")
TCP = "6"
ALL = "-1"
# The last entry of every ACL, which AWS keeps: what no entry before it lets through is refused.
LAST_ENTRY = 32767


class Entry(NamedTuple):
    """One rule; ``first`` and ``last`` are TCP ports, None for all protocols."""

    number: int
    egress: bool
    protocol: str
    first: int | None
    last: int | None
    cidr: str
    action: str

    def shown(self) -> str:
        """For the diff: ``200 allow tcp 443 0.0.0.0/0``."""
        protocol = {TCP: "tcp", ALL: "all"}.get(self.protocol, self.protocol)
        ports = f" {self.first}" if self.first == self.last else f" {self.first}-{self.last}"
        return f"{self.number} {self.action} {protocol}{'' if self.first is None else ports} {self.cidr}"


@call("create a network ACL")
def create_acl(run: Run, name: str, vpc_id: str) -> dict[str, Any]:
    specification = run.tag_specification("network-acl", name)
    return dict(run.ec2.create_network_acl(VpcId=vpc_id, TagSpecifications=specification)["NetworkAcl"])


@call("delete a network ACL", missing=("InvalidNetworkAclID.NotFound",))
def delete_acl(ec2: Any, acl_id: str) -> None:
    delete_with_retries(lambda: ec2.delete_network_acl(NetworkAclId=acl_id))


@call("write an entry of a network ACL")
def write_entry(ec2: Any, acl_id: str, entry: Entry, there: bool) -> None:
    """``there``: the ACL has an entry of that number."""
    members: dict[str, Any] = {
        "NetworkAclId": acl_id,
        "RuleNumber": entry.number,
        "Egress": entry.egress,
        "Protocol": entry.protocol,
        "RuleAction": entry.action,
        "CidrBlock": entry.cidr,
    }
    if entry.first is not None:
        members["PortRange"] = {"From": entry.first, "To": entry.last}
    create_or_replace(
        lambda: ec2.create_network_acl_entry(**members),
        lambda: ec2.replace_network_acl_entry(**members),
        there=there,
        exists=("NetworkAclEntryAlreadyExists",),
        missing=("InvalidNetworkAclEntry.NotFound",),
    )


@call("delete an entry of a network ACL", missing=("InvalidNetworkAclEntry.NotFound",))
def delete_entry(ec2: Any, acl_id: str, number: int, egress: bool) -> None:
    ec2.delete_network_acl_entry(NetworkAclId=acl_id, RuleNumber=number, Egress=egress)


# The association has another id after a lost reply, or when the list was late: who calls this looks again.
@call("give a subnet another network ACL", missing=("InvalidAssociationID.NotFound",))
def move_subnet(ec2: Any, association_id: str, acl_id: str) -> None:
    ec2.replace_network_acl_association(AssociationId=association_id, NetworkAclId=acl_id)


def entries_of(acl: Mapping[str, Any]) -> set[Entry]:
    """The entries of an ACL but the last; IPv6 entries show their range as it is."""
    return {
        Entry(
            one["RuleNumber"],
            one["Egress"],
            one["Protocol"],
            one.get("PortRange", {}).get("From"),
            one.get("PortRange", {}).get("To"),
            one.get("CidrBlock") or one.get("Ipv6CidrBlock", ""),
            one["RuleAction"],
        )
        for one in acl.get("Entries", [])
        if one["RuleNumber"] < LAST_ENTRY
    }


def entries_wanted(ports: list[str], vpc_cidr: str) -> set[Entry]:
    """All from the VPC, TCP to ``ports`` (``443`` or ``1024-3388``) from anywhere, and everything out."""
    entries = {
        Entry(100, False, ALL, None, None, vpc_cidr, "allow"),
        Entry(100, True, ALL, None, None, ANYWHERE, "allow"),
    }
    for index, given in enumerate(ports):
        first, _dash, last = given.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise AnsibleAWSError(message=f"{given!r} is not a port or a range of ports such as 1024-3388")
        entries.add(Entry(200 + 10 * index, False, TCP, int(first), int(last or first), ANYWHERE, "allow"))
    return entries


def own_acl(network: Network, tier: str) -> dict[str, Any] | None:
    """The network's ACL of a tier, found by its name."""
    named = (one for one in network.network_acls if tags_of(one).get("Name") == f"{network.name}-{tier}")
    return next((one for one in named if not one.get("IsDefault")), None)


def associations(acls: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Subnet id -> (association id, ACL id)."""
    return {
        one["SubnetId"]: (one["NetworkAclAssociationId"], acl["NetworkAclId"])
        for acl in acls
        for one in acl.get("Associations", [])
    }


def move_in(ec2: Any, vpc_id: str, acl_id: str, name: str, subnet_ids: Sequence[str]) -> None:
    """Give subnets the ACL of a name; a new subnet can be missing in the list for some seconds."""

    def outside() -> list[str]:
        held = associations(describe_network_acls(ec2, vpc_id))
        places = [held.get(subnet_id, ("", "")) for subnet_id in subnet_ids]
        return [association_id for association_id, current in places if current != acl_id]

    def move(association_id: str) -> None:
        if association_id:
            move_subnet(ec2, association_id, acl_id)

    settle(outside, move, f"The subnets of network ACL {name}")


def move_out(ec2: Any, vpc_id: str, acl_id: str, name: str, default_id: str) -> None:
    """Give the subnets of the ACL of a name the VPC's default one."""

    def inside() -> list[str]:
        held = associations(describe_network_acls(ec2, vpc_id))
        return [association_id for association_id, current in held.values() if current == acl_id]

    settle(
        inside,
        lambda association_id: move_subnet(ec2, association_id, default_id),
        f"The subnets of network ACL {name}",
    )


def ensure_network_acls(
    run: Run, network: Network, wanted: Mapping[str, list[str]], subnets: Mapping[str, Mapping[str, str]]
) -> None:
    """Bring the ACLs of both tiers to what is asked.

    ``wanted``: tier -> ports open to anywhere; a tier that is not in it goes back to the VPC's default ACL.
    ``subnets``: tier -> {name: id}. The VPC exists, except in check mode.
    """
    for tier in TIERS:
        if tier in wanted:
            _ensure_acl(run, network, tier, wanted[tier], subnets[tier])
        else:
            _withdraw_acl(run, network, tier)


def _ensure_acl(run: Run, network: Network, tier: str, ports: list[str], subnets: Mapping[str, str]) -> None:
    name = f"{network.name}-{tier}"
    cidr = network.vpc["CidrBlock"] if network.vpc else run.after[network.name]["cidr"]
    acl, wants = own_acl(network, tier), entries_wanted(ports, cidr)
    before: dict[str, Any] = {}
    tags, has, held = run.new_tags(name), set[Entry](), associations(network.network_acls)
    if acl:
        has, acl_id = entries_of(acl), str(acl["NetworkAclId"])
        inside = [key for key, subnet_id in subnets.items() if held.get(subnet_id, ("", ""))[1] == acl_id]
        before = {**_shown(has), "subnets": sorted(inside), "tags": tags_of(acl)}
        tags = run.ensure_tags(acl_id, name, tags_of(acl))
    elif not run.check_mode and network.vpc:
        acl = create_acl(run, name, network.vpc["VpcId"])
    if acl and not run.check_mode:
        acl_id = str(acl["NetworkAclId"])
        _write_entries(run.ec2, acl_id, has, wants)
        if any(held.get(subnet_id, ("", ""))[1] != acl_id for subnet_id in subnets.values()):
            move_in(run.ec2, acl["VpcId"], acl_id, name, list(subnets.values()))
    run.record(f"{name} network ACL", before, {**_shown(wants), "subnets": sorted(subnets), "tags": tags})


def _write_entries(ec2: Any, acl_id: str, has: set[Entry], wants: set[Entry]) -> None:
    places = {(entry.number, entry.egress) for entry in has}
    for entry in sorted(wants - has):
        write_entry(ec2, acl_id, entry, there=(entry.number, entry.egress) in places)
    for number, egress in sorted(places - {(entry.number, entry.egress) for entry in wants}):
        delete_entry(ec2, acl_id, number, egress)


def _withdraw_acl(run: Run, network: Network, tier: str) -> None:
    """Give the subnets back to the VPC's default ACL, then delete the network's own."""
    acl = own_acl(network, tier)
    if not acl:
        return
    default = next(one for one in network.network_acls if one.get("IsDefault"))
    _record_removal(run, network, tier, acl)
    if not run.check_mode:
        if acl.get("Associations"):
            move_out(run.ec2, acl["VpcId"], acl["NetworkAclId"], f"{network.name}-{tier}", default["NetworkAclId"])
        delete_acl(run.ec2, acl["NetworkAclId"])


def remove_network_acls(run: Run, network: Network) -> None:
    """Delete the network's ACLs; their subnets are gone."""
    for tier in TIERS:
        acl = own_acl(network, tier)
        if acl:
            _record_removal(run, network, tier, acl)
            if not run.check_mode:
                delete_acl(run.ec2, acl["NetworkAclId"])


def _record_removal(run: Run, network: Network, tier: str, acl: Mapping[str, Any]) -> None:
    run.record(f"{network.name}-{tier} network ACL", {**_shown(entries_of(acl)), "tags": tags_of(acl)}, {})


def _shown(entries: set[Entry]) -> dict[str, list[str]]:
    ordered = sorted(entries)
    return {
        "ingress": [entry.shown() for entry in ordered if not entry.egress],
        "egress": [entry.shown() for entry in ordered if entry.egress],
    }
