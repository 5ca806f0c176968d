# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 network interfaces are found by their subnet, group or VPC, and hold the subnet and the groups that they use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on(
    "ministack.services.ec2",
    {
        "_p": "ecc7f2330470",
        "_error": "e86ca2bcfaa3",
        "_xml": "353cd9683b41",
        "_parse_filters": "eb2fa616abd9",
        "_parse_member_list": "827648db3c95",
        "_eni_fields_xml": "fc33877b1ab5",
    },
)


def _values(interface: dict[str, Any], name: str) -> set[str]:
    """What a filter of that name is compared with."""
    if name == "group-id":
        return {group["GroupId"] for group in interface["Groups"]}
    return {interface[{"subnet-id": "SubnetId", "vpc-id": "VpcId"}[name]]}


@replaces("ministack.services.ec2:_describe_network_interfaces", "61ccec97e205")
def describe_network_interfaces(original: Handler, params: dict[str, Any]) -> Any:
    """Honour the filters group-id, subnet-id and vpc-id."""
    filters = ec2._parse_filters(params)
    asked = {name: filters[name] for name in ("group-id", "subnet-id", "vpc-id") if name in filters}
    if not asked:
        return original(params)
    ids = ec2._parse_member_list(params, "NetworkInterfaceId")
    items = "".join(
        ec2._eni_fields_xml(one)
        for one in ec2._network_interfaces.values()
        if (not ids or one["NetworkInterfaceId"] in ids)
        and all(_values(one, name) & set(values) for name, values in asked.items())
    )
    return ec2._xml(200, "DescribeNetworkInterfacesResponse", f"<networkInterfaceSet>{items}</networkInterfaceSet>")


@replaces("ministack.services.ec2:_delete_subnet", "dbc56de26456")
def delete_subnet(original: Handler, params: dict[str, Any]) -> Any:
    """Refused while an interface is in it."""
    return _held(params, "subnet-id", "SubnetId", "subnet") or original(params)


@replaces("ministack.services.ec2:_delete_security_group", "769ce93213d7")
def delete_security_group(original: Handler, params: dict[str, Any]) -> Any:
    """Refused while an interface uses it."""
    return _held(params, "group-id", "GroupId", "resource") or original(params)


def _held(params: dict[str, Any], name: str, key: str, kind: str) -> Any:
    identifier = ec2._p(params, key)
    if any(identifier in _values(one, name) for one in ec2._network_interfaces.values()):
        message = f"The {kind} '{identifier}' has dependencies and cannot be deleted"
        return ec2._error("DependencyViolation", message, 400)
    return None
