# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets Manager: the API calls, and the view of a secret that modules return (never its value)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import placeholder_arn

MISSING = ("ResourceNotFoundException",)
EXISTS = ("ResourceExistsException",)
Done = TypeVar("Done")
# Seconds between attempts while a changed policy reaches all of Secrets Manager.
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)


@call("describe the secret", missing=MISSING)
def describe_secret(client: Any, name: str) -> dict[str, Any] | None:
    """Metadata of a secret, also of one that is scheduled for deletion (``DeletedDate``); None when missing."""
    secret: dict[str, Any] = client.describe_secret(SecretId=name)
    return secret


@call("list secrets")
def list_secrets(client: Any, name_prefix: str) -> list[dict[str, Any]]:
    """Metadata of the secrets whose name starts with ``name_prefix``, without those scheduled for deletion."""
    pages = client.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [name_prefix]}])
    secrets: list[dict[str, Any]] = pages.build_full_result()["SecretList"]
    return [secret for secret in secrets if secret["Name"].startswith(name_prefix)]


@call("read the secret's value", missing=MISSING)
def secret_value(client: Any, name: str) -> str | None:
    """The current text of a secret, None when the secret or its current version is missing."""
    value: str | None = client.get_secret_value(SecretId=name).get("SecretString")
    return value


def is_denied(error: AnsibleAWSError) -> bool:
    """Whether a policy refused the call."""
    return bool(getattr(error.exception, "response", {}).get("Error", {}).get("Code") == "AccessDeniedException")


def once_readable(work: Callable[[], Done]) -> Done:
    """Return what ``work`` returns; for half a minute, do it again while a policy that has changed still refuses."""
    for pause in PAUSES:
        try:
            return work()
        except AnsibleAWSError as error:
            if not is_denied(error):
                raise
            time.sleep(pause)
    return work()


@call("read the secret's resource policy", missing=MISSING, default={})
def resource_policy(client: Any, name: str) -> dict[str, Any]:
    """The resource policy, ``{}`` when there is none."""
    policy: dict[str, Any] = json.loads(client.get_resource_policy(SecretId=name).get("ResourcePolicy") or "{}")
    return policy


@call("create the secret", missing=EXISTS)
def create_secret(client: Any, value: str, **settings: Any) -> dict[str, Any] | None:
    """Create a secret; None when it exists (another run, or a lost reply). A forced deletion takes a moment to end."""
    with_retries = AWSRetry.jittered_backoff(
        retries=10, delay=3, max_delay=8, catch_extra_error_codes=["InvalidRequestException"]
    )
    secret: dict[str, Any] = with_retries(client.create_secret)(SecretString=value, **settings)
    return secret


@call("store the secret's value")
def put_value(client: Any, name: str, value: str) -> str:
    """Store a new current version and return its id."""
    version: str = client.put_secret_value(SecretId=name, SecretString=value)["VersionId"]
    return version


@call("update the secret")
def update_secret(client: Any, name: str, settings: Mapping[str, str]) -> None:
    """Change ``Description`` or ``KmsKeyId``; the value stays as it is (re-encrypted when the key changes)."""
    client.update_secret(SecretId=name, **settings)


@call("restore the secret")
def restore_secret(client: Any, name: str) -> None:
    """Cancel a scheduled deletion; fine when it is cancelled already, as after a lost reply."""
    with unless_pending(client, name, False):
        client.restore_secret(SecretId=name)


@call("tag the secret")
def tag_secret(client: Any, name: str, tags: Mapping[str, str]) -> None:
    """Set tags."""
    client.tag_resource(SecretId=name, Tags=ansible_dict_to_boto3_tag_list(dict(tags)))


@call("untag the secret")
def untag_secret(client: Any, name: str, keys: list[str]) -> None:
    """Remove tags."""
    client.untag_resource(SecretId=name, TagKeys=keys)


@call("store the secret's resource policy")
def put_policy(client: Any, name: str, policy: Mapping[str, Any]) -> None:
    """Store the resource policy, or remove it when it is empty; AWS refuses one that makes the secret public."""
    if policy:
        client.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy), BlockPublicPolicy=True)
    else:
        client.delete_resource_policy(SecretId=name)


@call("delete the secret", missing=MISSING)
def delete_secret(client: Any, name: str, recovery_window_in_days: int | None) -> None:
    """Schedule the deletion; delete at once and for ever when there is no recovery window."""
    if recovery_window_in_days is None:
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        return
    with unless_pending(client, name, True):
        client.delete_secret(SecretId=name, RecoveryWindowInDays=recovery_window_in_days)


@contextmanager
def unless_pending(client: Any, name: str, wanted: bool) -> Iterator[None]:
    """Do not mind that a call is refused when the secret already is (or is no longer) scheduled for deletion."""
    try:
        yield
    except ClientError as error:
        refused = error.response["Error"]["Code"] == "InvalidRequestException"
        if not refused or bool(client.describe_secret(SecretId=name).get("DeletedDate")) is not wanted:
            raise


def current_version(secret: Mapping[str, Any]) -> str | None:
    """The id of the version that readers get; None when the secret has no value."""
    versions = secret.get("VersionIdsToStages") or secret.get("SecretVersionsToStages") or {}
    return next((version for version, stages in versions.items() if "AWSCURRENT" in stages), None)


def tags_of(secret: Mapping[str, Any]) -> dict[str, str]:
    """Tags as a dict."""
    tags: dict[str, str] = boto3_tag_list_to_ansible_dict(secret.get("Tags") or [])
    return tags


def secret_placeholder_arn(client: Any, name: str) -> str:
    """An ARN of the right shape for a secret that does not exist yet; AWS ends it with six characters of its choice."""
    return placeholder_arn(client, f"secret:{name}-000000")


def view(secret: Mapping[str, Any]) -> dict[str, Any]:
    """The snake_case metadata that modules return."""
    return {
        "name": secret["Name"],
        "arn": secret["ARN"],
        "description": secret.get("Description") or "",
        "kms_key_id": secret.get("KmsKeyId") or None,
        "version_id": current_version(secret),
        "scheduled_for_deletion": bool(secret.get("DeletedDate")),
        "tags": tags_of(secret),
    }
