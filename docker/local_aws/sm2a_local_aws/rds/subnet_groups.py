# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of DB subnet groups are unique: who repeats the call that makes one is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import rds

from sm2a_local_aws.patching.points import relies_on, replaces

relies_on("ministack.services.rds", {"_p": "ecc7f2330470", "_error": "34296a4c9bf4"})


@replaces("ministack.services.rds:_create_subnet_group", "ed723e51f3ed")
def create_subnet_group(original: Callable[[dict[str, Any]], Any], params: dict[str, Any]) -> Any:
    """Refused when the name is in use."""
    name = rds._p(params, "DBSubnetGroupName")
    if name in rds._subnet_groups:
        return rds._error("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.", 400)
    return original(params)
