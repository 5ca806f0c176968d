# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 network ACLs: every subnet has one, entries keep their ports, an ACL in use stays."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on("ministack.services.ec2", {"_p": "ecc7f2330470", "_error": "e86ca2bcfaa3"})


def _associate_all() -> None:
    """Give every subnet without an ACL its VPC's default one, and forget deleted subnets."""
    held: set[str] = set()
    for acl in ec2._network_acls.values():
        acl["Associations"] = [one for one in acl["Associations"] if one["SubnetId"] in ec2._subnets]
        held.update(one["SubnetId"] for one in acl["Associations"])
    defaults = {acl["VpcId"]: acl for acl in ec2._network_acls.values() if acl["IsDefault"]}
    for subnet_id, subnet in ec2._subnets.items():
        if subnet_id not in held and subnet["VpcId"] in defaults:
            identifier = f"aclassoc-{uuid.uuid4().hex[:17]}"
            association = {"NetworkAclAssociationId": identifier, "SubnetId": subnet_id}
            defaults[subnet["VpcId"]]["Associations"].append(association)


@replaces("ministack.services.ec2:_describe_network_acls", "d02244744484")
def describe_network_acls(original: Handler, params: dict[str, Any]) -> Any:
    """With the associations of subnets that were made or deleted since."""
    _associate_all()
    return original(params)


@replaces("ministack.services.ec2:_replace_network_acl_association", "6e06924556a6")
def replace_network_acl_association(original: Handler, params: dict[str, Any]) -> Any:
    """The subnet moves with its association."""
    _associate_all()
    given = ec2._p(params, "AssociationId")
    every = [one for acl in ec2._network_acls.values() for one in acl["Associations"]]
    subnets = [one["SubnetId"] for one in every if one["NetworkAclAssociationId"] == given]
    if not subnets:
        return ec2._error("InvalidAssociationID.NotFound", f"The association ID '{given}' does not exist", 400)
    response = original(params)
    if response[0] == 200:
        ec2._network_acls[ec2._p(params, "NetworkAclId")]["Associations"][-1]["SubnetId"] = subnets[0]
    return response


@replaces("ministack.services.ec2:_delete_network_acl", "dd549af47139")
def delete_network_acl(original: Handler, params: dict[str, Any]) -> Any:
    """Refused while subnets use it."""
    _associate_all()
    acl_id = ec2._p(params, "NetworkAclId")
    if acl_id in ec2._network_acls and ec2._network_acls[acl_id]["Associations"]:
        return ec2._error("DependencyViolation", f"The networkAcl '{acl_id}' has dependencies", 400)
    return original(params)


@replaces("ministack.services.ec2:_create_network_acl_entry", "c869b8c5d225")
def create_network_acl_entry(original: Handler, params: dict[str, Any]) -> Any:
    """Keep the ports; refuse a number in use."""
    if _entry(params):
        return ec2._error("NetworkAclEntryAlreadyExists", "The network acl entry identified by the number exists", 400)
    return _with_ports(original, params)


@replaces("ministack.services.ec2:_replace_network_acl_entry", "54ed932e321b")
def replace_network_acl_entry(original: Handler, params: dict[str, Any]) -> Any:
    """Keep the ports."""
    return _with_ports(original, params)


def _entry(params: dict[str, Any]) -> dict[str, Any] | None:
    entries = ec2._network_acls.get(ec2._p(params, "NetworkAclId"), {}).get("Entries", [])
    place = (int(ec2._p(params, "RuleNumber") or 0), ec2._p(params, "Egress") == "true")
    return next((one for one in entries if (one["RuleNumber"], one["Egress"]) == place), None)


def _with_ports(original: Handler, params: dict[str, Any]) -> Any:
    response = original(params)
    entry = _entry(params)
    if entry and ec2._p(params, "PortRange.From"):
        entry["PortRange"] = (ec2._p(params, "PortRange.From"), ec2._p(params, "PortRange.To"))
    return response


@replaces("ministack.services.ec2:_network_acl_entry_xml", "dbe6d36f74e0")
def entry_xml(original: Callable[[dict[str, Any]], str], entry: dict[str, Any]) -> str:
    """Tell the ports."""
    text = original(entry)
    if "PortRange" not in entry:
        return text
    first, last = entry["PortRange"]
    return text.replace("</item>", f"<portRange><from>{first}</from><to>{last}</to></portRange></item>")
