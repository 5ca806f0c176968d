# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The values of quotas that apply to this account."""

from __future__ import annotations

from sm2a_local_aws import account
from sm2a_local_aws.quotas.catalogue import BY_CODE, Quota

# This is an account that has been used for some time: AWS raised the quotas of which a new one has little. Environments
# and tests share it. `--account` gives other values, such as the default ones.
RAISED: dict[str, float] = {
    "L-3032A538": 4_000,
    "L-36FBB829": 4_000,
    "L-F678F1CE": 500,
    "L-A4707A72": 500,
    "L-FE5A380F": 500,
    "L-0263D0A3": 500,
    "L-1B52E74A": 500,
    "L-7B6409FD": 500,
    "L-48C6BF61": 500,
    "L-DE55804A": 500,
}


def value(quota: Quota) -> float:
    """How much the account may have."""
    return float(account.part("quotas").get(quota.code, RAISED.get(quota.code, quota.value)))


def value_of(code: str) -> float:
    """The same, by the code of a quota."""
    return value(BY_CODE[code])
