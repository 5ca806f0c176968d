# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""IAM tells its quota of roles itself, besides Service Quotas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sm2a_local_aws.patching.points import replaces
from sm2a_local_aws.quotas import applied

ROLES = "L-FE177D64"


@replaces("ministack.services.iam:_get_account_summary", "d30b1c51daa7")
def get_account_summary(original: Callable[[dict[str, Any]], Any], parameters: dict[str, Any]) -> Any:
    """MiniStack has AWS's default value in it."""
    status, headers, body = original(parameters)
    entry = "<key>RolesQuota</key><value>{:.0f}</value>"
    own = entry.format(applied.value_of(ROLES))
    return status, headers, body.replace(entry.format(1000).encode(), own.encode())
