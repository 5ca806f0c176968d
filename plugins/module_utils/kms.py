# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""KMS keys: the API calls, and how a key is found by its alias or its tags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import ID, placeholder_arn

MISSING = ("NotFoundException",)
# A key of somebody else may hide its tags, by its key policy; that the caller lacks the right is another matter.
HIDDEN = "AccessDeniedException"
LACKED = "no identity-based policy allows"
PENDING = ("PendingDeletion", "PendingReplicaDeletion")
TAG_NAMES = ("TagKey", "TagValue")


@call("describe the KMS key", missing=MISSING)
def describe_key(kms: Any, key: str) -> dict[str, Any] | None:
    """Metadata of a key (id, ARN or ``alias/...``), also of one that waits for its deletion; None when missing."""
    metadata: dict[str, Any] = kms.describe_key(KeyId=key)["KeyMetadata"]
    return metadata


@call("list the KMS keys")
def list_key_ids(kms: Any) -> list[str]:
    """Ids of every key of the account and region."""
    return [key["KeyId"] for page in kms.get_paginator("list_keys").paginate() for key in page["Keys"]]


@call("read the tags of a KMS key", missing=MISSING, default={})
def read_tags(kms: Any, key_id: str) -> dict[str, str]:
    """Tags of a key, none when they are hidden from the caller."""
    try:
        pages = kms.get_paginator("list_resource_tags").paginate(KeyId=key_id)
        listed = [tag for page in pages for tag in page["Tags"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != HIDDEN or LACKED in error.response["Error"].get("Message", ""):
            raise
        return {}
    tags: dict[str, str] = boto3_tag_list_to_ansible_dict(listed, *TAG_NAMES)
    return tags


@call("read the policy of the KMS key")
def read_policy(kms: Any, key_id: str) -> dict[str, Any]:
    """The key policy; there always is one."""
    policy: dict[str, Any] = json.loads(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
    return policy


@call("read the rotation of the KMS key")
def read_rotation(kms: Any, key_id: str) -> int | None:
    """Days between two rotations; None when the key does not rotate (as none does that waits for its deletion)."""
    status = kms.get_key_rotation_status(KeyId=key_id)
    return int(status.get("RotationPeriodInDays", 365)) if status["KeyRotationEnabled"] else None


@call("create the KMS key")
def create_key(
    kms: Any, description: str, policy: Mapping[str, Any] | None, tags: Mapping[str, str], identity: Mapping[str, str]
) -> dict[str, Any]:
    """Create a symmetric key and return its metadata; one whose reply was lost is found by the tags ``identity``."""
    settings: dict[str, Any] = {"Description": description, "Tags": tag_list(tags)}
    if policy:
        settings["Policy"] = json.dumps(policy)

    def create() -> dict[str, Any]:
        metadata: dict[str, Any] = kms.create_key(**settings)["KeyMetadata"]
        return metadata

    return create_once(kms, create, lambda: find_live(kms, identity))


@call("create the alias of the KMS key")
def create_alias(kms: Any, alias: str, key_id: str) -> None:
    """Give the key its alias; fine when it has it already."""

    def find() -> bool | None:
        return True if describe_key(kms, alias) else None

    def create() -> bool:
        kms.create_alias(AliasName=alias, TargetKeyId=key_id)
        return True

    create_once(kms, create, find, exists=("AlreadyExistsException",))


@call("restore the KMS key")
def cancel_deletion(kms: Any, key_id: str) -> None:
    """Cancel a scheduled deletion; the key is disabled afterwards. Fine when it is cancelled already."""
    with unless_pending(kms, key_id, False):
        kms.cancel_key_deletion(KeyId=key_id)


@call("enable or disable the KMS key")
def set_enabled(kms: Any, key_id: str, enabled: bool) -> None:
    """Make the key usable, or unusable."""
    if enabled:
        kms.enable_key(KeyId=key_id)
    else:
        kms.disable_key(KeyId=key_id)


@call("set the description of the KMS key")
def set_description(kms: Any, key_id: str, description: str) -> None:
    """Replace the description."""
    kms.update_key_description(KeyId=key_id, Description=description)


@call("set the rotation of the KMS key")
def set_rotation(kms: Any, key_id: str, days: int | None) -> None:
    """Rotate the key every so many days; never when None."""
    if days is None:
        kms.disable_key_rotation(KeyId=key_id)
    else:
        kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=days)


@call("set the policy of the KMS key")
def set_policy(kms: Any, key_id: str, policy: Mapping[str, Any]) -> None:
    """Replace the key policy; KMS refuses one that would lock the caller out."""
    kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=json.dumps(policy))


@call("tag the KMS key")
def set_tags(kms: Any, key_id: str, tags: Mapping[str, str]) -> None:
    """Set tags."""
    kms.tag_resource(KeyId=key_id, Tags=tag_list(tags))


@call("untag the KMS key")
def remove_tags(kms: Any, key_id: str, keys: list[str]) -> None:
    """Remove tags."""
    kms.untag_resource(KeyId=key_id, TagKeys=keys)


@call("schedule the deletion of the KMS key", missing=MISSING)
def schedule_deletion(kms: Any, key_id: str, pending_window: int) -> None:
    """Schedule the deletion in so many days (7 to 30). Fine when it is scheduled already."""
    with unless_pending(kms, key_id, True):
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=pending_window)


@contextmanager
def unless_pending(kms: Any, key_id: str, wanted: bool) -> Iterator[None]:
    """Do not mind that a call is refused when the key already waits (or no longer waits), as after a lost reply."""
    try:
        yield
    except ClientError as error:
        refused = error.response["Error"]["Code"] == "KMSInvalidStateException"
        if not refused or is_pending(kms.describe_key(KeyId=key_id)["KeyMetadata"]) is not wanted:
            raise


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as KMS wants them."""
    listed: list[dict[str, str]] = ansible_dict_to_boto3_tag_list(dict(tags), *TAG_NAMES)
    return listed


def is_pending(metadata: Mapping[str, Any]) -> bool:
    """Whether the key waits for its deletion."""
    return metadata["KeyState"] in PENDING


def tagged_keys(kms: Any, identity: Mapping[str, str]) -> list[dict[str, Any]]:
    """Metadata of the keys that carry all of the tags, oldest first. One call a key: KMS has no filter."""
    ids = [key_id for key_id in list_key_ids(kms) if identity.items() <= read_tags(kms, key_id).items()]
    described = [describe_key(kms, key_id) for key_id in ids]
    return sorted((metadata for metadata in described if metadata), key=lambda metadata: metadata["CreationDate"])


def find_live(kms: Any, identity: Mapping[str, str]) -> dict[str, Any] | None:
    """The one tagged key that does not wait for its deletion, None without one; AnsibleAWSError when there are more."""
    return only_one([metadata for metadata in tagged_keys(kms, identity) if not is_pending(metadata)])


def only_one(keys: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The key of a list of at most one."""
    if len(keys) > 1:
        ids = ", ".join(metadata["KeyId"] for metadata in keys)
        raise AnsibleAWSError(
            message=f"Several KMS keys carry the identity tags and none has the alias: {ids}. "
            "Give the right one the alias, or schedule the deletion of the others"
        )
    return keys[0] if keys else None


def find_key(kms: Any, alias: str, identity: Mapping[str, str]) -> tuple[dict[str, Any], bool] | None:
    """``(metadata, whether the alias leads to it)``; None when there is no such key.

    Without the alias the key that carries the tags ``identity`` is taken, also the youngest that waits for its
    deletion.
    """
    named = describe_key(kms, alias)
    if named:
        return named, True
    tagged = tagged_keys(kms, identity)
    live = only_one([metadata for metadata in tagged if not is_pending(metadata)])
    found = live or (tagged[-1] if tagged else None)
    return (found, False) if found else None


def read_key(kms: Any, alias: str, identity: Mapping[str, str]) -> dict[str, Any]:
    """The key in the shape that modules return; ``{}`` when there is none."""
    found = find_key(kms, alias, identity)
    return view(kms, found[0], alias if found[1] else None) if found else {}


def view(kms: Any, metadata: Mapping[str, Any], alias: str | None) -> dict[str, Any]:
    """The snake_case view of a key."""
    key_id = metadata["KeyId"]
    return {
        "key_id": key_id,
        "key_arn": metadata["Arn"],
        "alias": alias,
        "description": metadata.get("Description") or "",
        "enabled": bool(metadata["Enabled"]),
        "pending_deletion": is_pending(metadata),
        "rotation_period_in_days": read_rotation(kms, key_id),
        "policy": read_policy(kms, key_id),
        "tags": read_tags(kms, key_id),
    }


def placeholder(kms: Any) -> dict[str, str]:
    """Id and ARN of the right shape for a key that does not exist yet."""
    return {"key_id": ID, "key_arn": placeholder_arn(kms, f"key/{ID}")}


def alias_name(alias: str) -> str:
    """The alias in KMS' form."""
    return alias if alias.startswith("alias/") else f"alias/{alias}"
