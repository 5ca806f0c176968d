# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What KMS, Secrets Manager and Certificate Manager refuse besides the limits in their models."""

from __future__ import annotations

from sm2a_local_aws.limits.rules.checks import flag, named, text, within
from sm2a_local_aws.limits.rules.table import Parameters, Rule

KMS = "https://docs.aws.amazon.com/kms/latest/APIReference/"
SECRETS_MANAGER = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/"
ACM = "https://docs.aws.amazon.com/acm/latest/APIReference/"
LONGEST_FIRST_DOMAIN = 64
BOTH = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."


def _domain(parameters: Parameters) -> str | None:
    if len(text(parameters, "DomainName")) <= LONGEST_FIRST_DOMAIN:
        return None
    return f"The first domain name can be no longer than {LONGEST_FIRST_DOMAIN} characters."


def _two_ways(parameters: Parameters) -> str | None:
    return BOTH if flag(parameters, "ForceDeleteWithoutRecovery") and "RecoveryWindowInDays" in parameters else None


CERTIFICATES = (
    Rule(
        ("RequestCertificate",),
        _domain,
        "InvalidDomainValidationOptionsException",
        f"{ACM}API_RequestCertificate.html",
    ),
)
KEYS = (
    Rule(
        ("CreateAlias",),
        named(
            "AliasName",
            r"alias/[A-Za-z0-9/_-]{1,250}",
            'Alias must start with the prefix "alias/", and have letters, digits and /_- after it',
        ),
        "InvalidAliasNameException",
        f"{KMS}API_CreateAlias.html",
    ),
    Rule(
        ("CreateAlias",),
        named("AliasName", r".*", "{value} is reserved for AWS managed keys", r"alias/aws/.*"),
        "NotAuthorizedException",
        f"{KMS}API_CreateAlias.html",
    ),
    Rule(
        ("ScheduleKeyDeletion",),
        within("PendingWindowInDays", 7, 30, "PendingWindowInDays must be between {least} and {most} days (inclusive)"),
        "ValidationException",
        f"{KMS}API_ScheduleKeyDeletion.html",
    ),
)
SECRETS = (
    Rule(
        ("CreateSecret",),
        named(
            "Name",
            r"[A-Za-z0-9/_+=.@!-]{1,512}",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ),
        "ValidationException",
        f"{SECRETS_MANAGER}API_CreateSecret.html",
    ),
    Rule(
        ("DeleteSecret",),
        within(
            "RecoveryWindowInDays",
            7,
            30,
            "RecoveryWindowInDays value must be between {least} and {most} days (inclusive).",
        ),
        "InvalidParameterException",
        f"{SECRETS_MANAGER}API_DeleteSecret.html",
    ),
    Rule(("DeleteSecret",), _two_ways, "InvalidParameterException", f"{SECRETS_MANAGER}API_DeleteSecret.html"),
)
