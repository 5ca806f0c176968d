# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""S3 buckets: the API calls, one pair of read and write per aspect, in the shape of the module's options."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.lifecycle import api_rule, rule_options, same_rules

MISSING = ("404", "NoSuchBucket", "NotFound")
FOREIGN = ("403", "AccessDenied", "Forbidden", "BucketAlreadyExists")
PURGES = 5  # AWS services may still deliver logs into a bucket while it is emptied
SSE_S3 = "AES256"
SSE_KMS = "aws:kms"
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@call("look up the bucket", missing=MISSING, default=False)
def bucket_exists(s3: Any, name: str) -> bool:
    """Whether the bucket exists; AnsibleAWSError when it belongs to somebody else."""
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        refuse_foreign(name, error)
        raise
    return True


@call("create the bucket", missing=("BucketAlreadyOwnedByYou",))
def create_bucket(s3: Any, name: str, region: str) -> None:
    """Create a bucket in ``region``; fine when this account has it already, as after a lost reply."""
    # us-east-1 is the only region that S3 does not let one name.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **place)
    except ClientError as error:
        refuse_foreign(name, error)
        raise


def refuse_foreign(name: str, error: ClientError) -> None:
    """Say what is wrong with a bucket that the caller may not even look at."""
    if error.response["Error"]["Code"] in FOREIGN:
        raise AnsibleAWSError(
            message=f"Bucket {name} belongs to another account, or the credentials may not use it (bucket names are "
            "shared by all accounts of the world)",
            exception=error,
        ) from error


@call("delete the bucket", missing=MISSING)
def delete_bucket(s3: Any, name: str) -> bool:
    """Delete an empty bucket; False when it is not empty after all."""
    retry = AWSRetry.jittered_backoff(retries=12, delay=2, max_delay=15, catch_extra_error_codes=["OperationAborted"])
    try:
        retry(s3.delete_bucket)(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "BucketNotEmpty":
            return False
        raise
    return True


@call("list the versions in the bucket")
def is_empty(s3: Any, name: str) -> bool:
    """Whether the bucket holds neither objects nor old versions nor delete markers."""
    page = s3.list_object_versions(Bucket=name, MaxKeys=1)
    return not (page.get("Versions") or page.get("DeleteMarkers"))


@call("count the versions in the bucket", missing=MISSING, default=(0, False))
def count_versions(s3: Any, name: str) -> tuple[int, bool]:
    """How many objects, old versions and delete markers are on the first page (1000), and whether there are more."""
    page = s3.list_object_versions(Bucket=name)
    return len(page.get("Versions", [])) + len(page.get("DeleteMarkers", [])), bool(page.get("IsTruncated"))


@call("empty the bucket")
def purge(s3: Any, name: str) -> None:
    """Delete every object, version and delete marker, a page (1000) at a time."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        if not objects:
            continue
        errors = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True}).get("Errors")
        if errors:
            first = f"{errors[0]['Key']}: {errors[0].get('Message')}"
            raise AnsibleAWSError(message=f"Failed to delete {len(errors)} objects of bucket {name}, first {first}")


@call("read the bucket's versioning")
def read_versioning(s3: Any, name: str) -> bool:
    """Whether new objects get versions."""
    return bool(s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled")


@call("set the bucket's versioning")
def write_versioning(s3: Any, name: str, wanted: bool) -> None:
    """Enable or suspend versioning."""
    status = "Enabled" if wanted else "Suspended"
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})


@call("read the bucket's encryption", missing=("ServerSideEncryptionConfigurationNotFoundError",))
def encryption_rule(s3: Any, name: str) -> dict[str, Any] | None:
    """The one rule of the encryption configuration as the API has it."""
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"].get("Rules", [])
    return rules[0] if rules else None


def read_encryption(s3: Any, name: str) -> dict[str, Any]:
    """``{algorithm, kms_key_id, bucket_key_enabled}``; the last two with a KMS key only."""
    rule = encryption_rule(s3, name) or {}
    default = rule.get("ApplyServerSideEncryptionByDefault") or {"SSEAlgorithm": SSE_S3}
    return encryption(default["SSEAlgorithm"], default.get("KMSMasterKeyID"), rule.get("BucketKeyEnabled"))


def encryption(algorithm: str, kms_key_id: str | None, bucket_key_enabled: bool | None) -> dict[str, Any]:
    """An encryption in the shape of the option, without what does not matter to the algorithm."""
    if algorithm == SSE_S3:
        return {"algorithm": algorithm}
    return {"algorithm": algorithm, "kms_key_id": kms_key_id, "bucket_key_enabled": bool(bucket_key_enabled)}


@call("set the bucket's encryption")
def write_encryption(s3: Any, name: str, wanted: Mapping[str, Any]) -> None:
    """Set how new objects are encrypted; a bucket key saves calls of KMS. Blocked encryption types stay blocked."""
    default = {"SSEAlgorithm": wanted["algorithm"]}
    if wanted.get("kms_key_id"):
        default["KMSMasterKeyID"] = wanted["kms_key_id"]
    kept = {key: value for key, value in (encryption_rule(s3, name) or {}).items() if key == "BlockedEncryptionTypes"}
    rule = {
        "ApplyServerSideEncryptionByDefault": default,
        "BucketKeyEnabled": bool(wanted.get("bucket_key_enabled")),
        **kept,
    }
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


@call("read the bucket's access logging")
def read_logging(s3: Any, name: str) -> dict[str, Any]:
    """``{target_bucket, target_prefix}``, ``{}`` when accesses are not logged."""
    enabled = s3.get_bucket_logging(Bucket=name).get("LoggingEnabled")
    if not enabled:
        return {}
    return {"target_bucket": enabled["TargetBucket"], "target_prefix": enabled.get("TargetPrefix") or ""}


@call("set the bucket's access logging")
def write_logging(s3: Any, name: str, wanted: Mapping[str, Any]) -> None:
    """Log accesses to another bucket, or stop."""
    status = {}
    if wanted:
        status = {"LoggingEnabled": {"TargetBucket": wanted["target_bucket"], "TargetPrefix": wanted["target_prefix"]}}
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus=status)


@call("read the bucket's public access block", missing=("NoSuchPublicAccessBlockConfiguration",), default=False)
def read_public_access_block(s3: Any, name: str) -> bool:
    """Whether all four kinds of public access are blocked."""
    configuration = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    return all(configuration.get(block) for block in BLOCKS)


@call("set the bucket's public access block")
def write_public_access_block(s3: Any, name: str, wanted: bool) -> None:
    """Block all four kinds of public access, or none."""
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(BLOCKS, wanted))


@call("read the bucket's object ownership", missing=("OwnershipControlsNotFoundError",))
def read_ownership(s3: Any, name: str) -> str | None:
    """Who owns new objects, None when the bucket does not say."""
    rules = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    return rules[0]["ObjectOwnership"] if rules else None


@call("set the bucket's object ownership")
def write_ownership(s3: Any, name: str, wanted: str) -> None:
    """Set who owns new objects."""
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": wanted}]})


@call("read the bucket's policy", missing=("NoSuchBucketPolicy",), default={})
def read_policy(s3: Any, name: str) -> dict[str, Any]:
    """The policy, ``{}`` when there is none."""
    policy: dict[str, Any] = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    return policy


@call("set the bucket's policy")
def write_policy(s3: Any, name: str, wanted: Mapping[str, Any]) -> None:
    """Set the policy, or remove it when it is empty."""
    if wanted:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(wanted))
    else:
        s3.delete_bucket_policy(Bucket=name)


@call("read the bucket's lifecycle rules", missing=("NoSuchLifecycleConfiguration",), default=[])
def read_lifecycle(s3: Any, name: str) -> list[dict[str, Any]]:
    """The lifecycle rules in the shape of the option."""
    return [rule_options(rule) for rule in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]]


@call("set the bucket's lifecycle rules")
def write_lifecycle(s3: Any, name: str, wanted: list[dict[str, Any]]) -> None:
    """Replace all lifecycle rules."""
    if wanted:
        rules = [api_rule(rule) for rule in wanted]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    else:
        s3.delete_bucket_lifecycle(Bucket=name)


@call("read the bucket's tags", missing=("NoSuchTagSet",), default={})
def read_tags(s3: Any, name: str) -> dict[str, str]:
    """The tags."""
    tags: dict[str, str] = boto3_tag_list_to_ansible_dict(s3.get_bucket_tagging(Bucket=name)["TagSet"])
    return tags


@call("set the bucket's tags")
def write_tags(s3: Any, name: str, wanted: Mapping[str, str]) -> None:
    """Replace all tags."""
    if wanted:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": ansible_dict_to_boto3_tag_list(dict(wanted))})
    else:
        s3.delete_bucket_tagging(Bucket=name)


def same_encryption(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether two encryptions are the same; a key may be named by id or ARN."""
    keys = [str(encrypted.get("kms_key_id") or "") for encrypted in (current, wanted)]
    same_key = keys[0] == keys[1] or keys[0].endswith(f"/{keys[1]}") or keys[1].endswith(f"/{keys[0]}")
    return same_key and all(current.get(key) == wanted.get(key) for key in ("algorithm", "bucket_key_enabled"))


def same_policy(current: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether two policies mean the same."""
    return not compare_policies(current, wanted)


@dataclass(frozen=True)
class Aspect:
    """One option of a bucket: how it is read, written and compared. ``missing`` is its value on a new bucket."""

    option: str
    read: Callable[[Any, str], Any]
    write: Callable[[Any, str, Any], None]
    missing: Any = None
    same: Callable[[Any, Any], bool] = lambda current, wanted: bool(current == wanted)


# In this order: access is blocked before anything else, and encryption is on before objects arrive.
ASPECTS = (
    Aspect("block_public_access", read_public_access_block, write_public_access_block, missing=False),
    Aspect("object_ownership", read_ownership, write_ownership),
    Aspect("encryption", read_encryption, write_encryption, missing={"algorithm": SSE_S3}, same=same_encryption),
    Aspect("versioning", read_versioning, write_versioning, missing=False),
    Aspect("policy", read_policy, write_policy, missing={}, same=same_policy),
    Aspect("lifecycle_rules", read_lifecycle, write_lifecycle, missing=[], same=same_rules),
    Aspect("logging", read_logging, write_logging, missing={}),
)


def read_bucket(s3: Any, name: str) -> dict[str, Any] | None:
    """Every aspect and the tags of a bucket, None when it does not exist."""
    if not bucket_exists(s3, name):
        return None
    return {
        "name": name,
        "arn": arn_of(s3, name),
        **{aspect.option: aspect.read(s3, name) for aspect in ASPECTS},
        "tags": read_tags(s3, name),
    }


def new_bucket(s3: Any, name: str) -> dict[str, Any]:
    """What ``read_bucket`` says about a bucket that has just been created, before anything is set."""
    return {"name": name, "arn": arn_of(s3, name), **{aspect.option: aspect.missing for aspect in ASPECTS}, "tags": {}}


def arn_of(s3: Any, name: str) -> str:
    """ARN of a bucket in the client's partition."""
    return f"arn:{s3.meta.partition}:s3:::{name}"
