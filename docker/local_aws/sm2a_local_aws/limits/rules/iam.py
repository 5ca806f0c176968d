# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What IAM refuses of roles besides its model's limits: the length of policies, and tags that differ in case only."""

from __future__ import annotations

from collections import Counter

from sm2a_local_aws.limits.rules.checks import mappings, text
from sm2a_local_aws.limits.rules.table import Parameters, Problem, Rule

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
QUOTAS = f"{GUIDE}reference_iam-quotas.html"
CODE = "LimitExceeded"
INLINE, TRUST = 10_240, 2048
TWINS = "Duplicate tag keys found. Please note that Tag keys are case insensitive."


def _length(parameter: str, most: int, sentence: str) -> Problem:
    """IAM does not count white space. The documents of a role count together; one of them alone must fit as well."""

    def problem(parameters: Parameters) -> str | None:
        length = len("".join(text(parameters, parameter).split()))
        return sentence.format(most=most, role=text(parameters, "RoleName")) if length > most else None

    return problem


def _twins(parameters: Parameters) -> str | None:
    keys = Counter(text(tag, "Key").lower() for tag in mappings(parameters, "Tags"))
    return TWINS if any(count > 1 for count in keys.values()) else None


RULES = (
    Rule(
        ("PutRolePolicy",),
        _length("PolicyDocument", INLINE, "Maximum policy size of {most} bytes exceeded for role {role}"),
        CODE,
        QUOTAS,
    ),
    Rule(
        ("CreateRole",),
        _length("AssumeRolePolicyDocument", TRUST, "Cannot exceed quota for ACLSizePerRole: {most}"),
        CODE,
        QUOTAS,
    ),
    Rule(
        ("UpdateAssumeRolePolicy",),
        _length("PolicyDocument", TRUST, "Cannot exceed quota for ACLSizePerRole: {most}"),
        CODE,
        QUOTAS,
    ),
    Rule(("CreateRole", "TagRole"), _twins, "InvalidInput", f"{GUIDE}id_tags.html"),
)
