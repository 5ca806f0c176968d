# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 elastic addresses are found by their tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import relies_on, replaces

relies_on(
    "ministack.services.ec2",
    {
        "_parse_filters": "eb2fa616abd9",
        "_parse_member_list": "827648db3c95",
        "_resource_matches_tag_filters": "c2af70e03337",
    },
)
NOTHING = "eipalloc-00000000000000000"


@replaces("ministack.services.ec2:_describe_addresses", "eedee68236cb")
def describe_addresses(original: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> Any:
    """Honour filters by tag."""
    filters = ec2._parse_filters(params)
    if not any(name.startswith("tag") for name in filters):
        return original(params)
    ids = ec2._parse_member_list(params, "AllocationId") or list(ec2._addresses.keys())
    found = [each for each in ids if ec2._resource_matches_tag_filters(each, filters)] or [NOTHING]
    return original({f"AllocationId.{number}": [each] for number, each in enumerate(found, start=1)})
