# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Callers, and how a resource policy may name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sm2a_local_aws.iam.policy.documents import Statement

ACCOUNT = re.compile(r"(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?")


@dataclass(frozen=True)
class Principal:
    """Who asks: `arn` is that of the user or of the role's session, `role_arn` that of the role, if it is one."""

    arn: str
    account: str
    role_arn: str = ""
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


class Names(Enum):
    """How closely a statement names a caller."""

    NOBODY = 0
    ACCOUNT = 1
    EVERYBODY = 2
    ROLE = 3
    ITSELF = 4


def named(statement: Statement, principal: Principal) -> Names:
    """How the statement names the caller; a statement with NotPrincipal names everybody else."""
    if statement.not_principals is not None:
        excepted = any(_name(kind, one, principal) is not Names.NOBODY for kind, one in statement.not_principals)
        return Names.NOBODY if excepted else Names.EVERYBODY
    found = [_name(kind, one, principal) for kind, one in statement.principals or ()]
    return max(found, key=lambda one: one.value, default=Names.NOBODY)


def _name(kind: str, name: str, principal: Principal) -> Names:
    if kind not in ("AWS", "*"):
        # Services, and identities of other providers.
        return Names.NOBODY
    if name == "*":
        return Names.EVERYBODY
    if name == principal.arn:
        return Names.ITSELF
    if principal.role_arn and name == principal.role_arn:
        return Names.ROLE
    account = ACCOUNT.fullmatch(name)
    return Names.ACCOUNT if account and account[1] == principal.account else Names.NOBODY
