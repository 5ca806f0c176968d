# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 tells of the Availability Zones that are asked for, by name, id, state or another filter."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import relies_on, replaces

relies_on("ministack.services.ec2", {"_parse_filters": "eb2fa616abd9", "_parse_member_list": "827648db3c95"})

ITEM = re.compile(r"<item>.*?</item>", re.DOTALL)
# Filter or parameter -> element of the answer.
ELEMENTS = {
    "group-name": "groupName",
    "opt-in-status": "optInStatus",
    "region-name": "regionName",
    "state": "zoneState",
    "zone-id": "zoneId",
    "zone-name": "zoneName",
    "zone-type": "zoneType",
}


@replaces("ministack.services.ec2:_describe_availability_zones", "4854cc891888")
def describe_availability_zones(original: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> Any:
    """Those that all filters let through; MiniStack tells of all."""
    asked = {name: values for name, values in ec2._parse_filters(params).items() if name in ELEMENTS}
    for member, name in (("ZoneName", "zone-name"), ("ZoneId", "zone-id")):
        if given := ec2._parse_member_list(params, member):
            asked[name] = [value for value in given if value in asked.get(name, given)]
    status, headers, body = original(params)
    shown = ITEM.sub(lambda item: item[0] if _is_asked_for(item[0], asked) else "", body.decode())
    return status, headers, shown.encode()


def _is_asked_for(item: str, asked: dict[str, list[str]]) -> bool:
    return all(
        any(f"<{ELEMENTS[name]}>{value}</{ELEMENTS[name]}>" in item for value in values)
        for name, values in asked.items()
    )
