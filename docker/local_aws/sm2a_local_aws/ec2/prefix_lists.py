# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2 security groups keep rules to prefix lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from sm2a_local_aws.patching.points import relies_on, replaces

relies_on("ministack.services.ec2", {"_p": "ecc7f2330470"})


@replaces("ministack.services.ec2:_parse_ip_permissions", "7c2dbe7668af")
def parse_ip_permissions(
    original: Callable[..., list[dict[str, Any]]], params: dict[str, Any], prefix: str
) -> list[dict[str, Any]]:
    """Read their prefix lists, too."""
    rules = original(params, prefix)
    for number, rule in enumerate(rules, start=1):
        index = 1
        while given := ec2._p(params, f"{prefix}.{number}.PrefixListIds.{index}.PrefixListId"):
            rule["PrefixListIds"].append({"PrefixListId": given})
            index += 1
    return rules
