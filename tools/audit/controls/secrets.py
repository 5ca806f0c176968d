# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets Manager and KMS."""

from __future__ import annotations

from datetime import timedelta

from ..control import Verdicts, control, when
from ..environment import Environment
from ..policies import has_named_readers, public

AGAIN = "Run site.yml: the role secrets sets it."
UNUSED_DAYS, ROTATION_DAYS = 90, 90


@control(
    "SecretsManager.1", "Secrets are rotated automatically", "Give the secret a rotation function, or list the reason."
)
def rotation(environment: Environment) -> Verdicts:
    found = environment.secrets
    yield from when(((one["Name"], not one.get("RotationEnabled")) for one in found), "no rotation")


@control("SecretsManager.2", "The last rotation succeeded", "Read the log of the rotation function.")
def rotated(environment: Environment) -> Verdicts:
    for one in environment.secrets:
        if one.get("RotationEnabled"):
            days = timedelta(days=one.get("RotationRules", {}).get("AutomaticallyAfterDays", ROTATION_DAYS))
            due = one.get("NextRotationDate") or (one.get("LastRotatedDate") or one["CreatedDate"]) + days
            yield one["Name"], f"was due {due:%Y-%m-%d}" if due < environment.now else ""


@control("SecretsManager.3", "No secret is unused", "Take the secret out of secrets_connections or secrets_variables.")
def used(environment: Environment) -> Verdicts:
    oldest = environment.now - timedelta(days=UNUSED_DAYS)
    for one in environment.secrets:
        read = one.get("LastAccessedDate") or one["CreatedDate"]
        yield one["Name"], f"last read {read:%Y-%m-%d}" if read < oldest else ""


@control("SecretsManager.4", "Secrets changed within 90 days", "Rotate the secret; docs/ says how for each.")
def changed(environment: Environment) -> Verdicts:
    oldest = environment.now - timedelta(days=ROTATION_DAYS)
    for one in environment.secrets:
        last = one.get("LastRotatedDate") or one.get("LastChangedDate") or one["CreatedDate"]
        yield one["Name"], f"last changed {last:%Y-%m-%d}" if last < oldest else ""


@control("SecretsManager.key", "Secrets are encrypted with the environment's key", AGAIN)
def customer_key(environment: Environment) -> Verdicts:
    for one in environment.secrets:
        key = one.get("KmsKeyId", "")
        yield one["Name"], "" if key and not key.endswith("aws/secretsmanager") else "encrypted with AWS' key"


@control("SecretsManager.policy", "No secret is public", AGAIN)
def private(environment: Environment) -> Verdicts:
    read = environment.aws("secretsmanager").get_resource_policy
    for one in environment.secrets:
        policy = read(SecretId=one["ARN"]).get("ResourcePolicy")
        yield one["Name"], "its policy allows anyone" if public(policy) else ""


@control("SecretsManager.readers", "Secrets have named readers", "Set secrets_restrict_readers, and run site.yml.")
def readers(environment: Environment) -> Verdicts:
    read = environment.aws("secretsmanager").get_resource_policy
    for one in environment.secrets:
        policy = read(SecretId=one["ARN"]).get("ResourcePolicy")
        yield one["Name"], "" if has_named_readers(policy) else "whom IAM allows everything can read it"


@control(
    "KMS.3",
    "The key is not about to be deleted",
    "Cancel the deletion of the key at once: aws kms cancel-key-deletion.",
)
def deletion(environment: Environment) -> Verdicts:
    found = environment.keys
    yield from when(((one["KeyId"], one["KeyState"] == "PendingDeletion") for one in found), "deletion is scheduled")


@control("KMS.4", "The key is rotated every year", AGAIN)
def key_rotation(environment: Environment) -> Verdicts:
    read = environment.aws("kms").get_key_rotation_status
    found = environment.keys
    yield from when(
        ((one["KeyId"], not read(KeyId=one["KeyId"])["KeyRotationEnabled"]) for one in found), "no rotation"
    )


@control("KMS.5", "The key is not public", AGAIN)
def key_policy(environment: Environment) -> Verdicts:
    read = environment.aws("kms").get_key_policy
    for one in environment.keys:
        policy = read(KeyId=one["KeyId"], PolicyName="default")["Policy"]
        yield one["KeyId"], "its policy allows anyone" if public(policy) else ""
