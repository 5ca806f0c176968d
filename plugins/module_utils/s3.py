# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""S3 buckets: the API calls, one pair of read and write per aspect, in the shape of the module's options."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import call

MISSING = ("404", "NoSuchBucket", "NotFound")
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
# option of a lifecycle rule -> where S3 keeps its number of days
RULE_DAYS = {
    "expiration_in_days": ("Expiration", "Days"),
    "noncurrent_version_expiration_in_days": ("NoncurrentVersionExpiration", "NoncurrentDays"),
    "abort_incomplete_multipart_upload_in_days": ("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
}


@call("look up the bucket", missing=MISSING, default=False)
def bucket_exists(s3: Any, name: str) -> bool:
    """Whether the bucket exists; AnsibleAWSError when it belongs to somebody else."""
    s3.head_bucket(Bucket=name)
    return True


@call("create the bucket", missing=("BucketAlreadyOwnedByYou",))
def create_bucket(s3: Any, name: str, region: str) -> None:
    """Create a bucket in ``region``; fine when this account has it already."""
    if region == "us-east-1":  # the only region that S3 does not let one name
        s3.create_bucket(Bucket=name)
    else:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})


@call("delete the bucket", missing=MISSING)
def delete_bucket(s3: Any, name: str) -> None:
    """Delete an empty bucket."""
    s3.delete_bucket(Bucket=name)


@call("list the versions in the bucket")
def is_empty(s3: Any, name: str) -> bool:
    """Whether the bucket holds neither objects nor old versions nor delete markers."""
    page = s3.list_object_versions(Bucket=name, MaxKeys=1)
    return not (page.get("Versions") or page.get("DeleteMarkers"))


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
def read_kms_key(s3: Any, name: str) -> str | None:
    """The KMS key of new objects when they use a bucket key as well; None otherwise."""
    configuration = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    for rule in configuration.get("Rules", []):
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        if default.get("SSEAlgorithm") == "aws:kms" and rule.get("BucketKeyEnabled"):
            key: str | None = default.get("KMSMasterKeyID")
            return key
    return None


@call("set the bucket's encryption")
def write_kms_key(s3: Any, name: str, wanted: str) -> None:
    """Encrypt new objects with a KMS key, through a bucket key (fewer calls of KMS)."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": wanted}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


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


def api_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A lifecycle rule as the API wants it."""
    days = {parent: {child: rule[option]} for option, (parent, child) in RULE_DAYS.items() if rule.get(option)}
    return {"ID": rule["id"], "Status": "Enabled", "Filter": {"Prefix": rule.get("prefix") or ""}, **days}


def rule_options(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A lifecycle rule as an option; what the option cannot express is kept under its API name, so that it differs."""
    prefix = (rule.get("Filter") or {}).get("Prefix") or rule.get("Prefix") or ""
    known = {"ID", "Status", "Filter", "Prefix", *(parent for parent, _days in RULE_DAYS.values())}
    return {
        "id": rule.get("ID"),
        "prefix": prefix,
        **{option: (rule.get(parent) or {}).get(child) for option, (parent, child) in RULE_DAYS.items()},
        **{key: value for key, value in rule.items() if key not in known and value},
        **({} if rule["Status"] == "Enabled" else {"Status": rule["Status"]}),
    }


def same_rules(current: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    """Whether two lists hold the same rules, in any order."""
    return sorted(current, key=lambda rule: str(rule["id"])) == sorted(wanted, key=lambda rule: str(rule["id"]))


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
    Aspect("kms_key_id", read_kms_key, write_kms_key),
    Aspect("versioning", read_versioning, write_versioning, missing=False),
    Aspect("policy", read_policy, write_policy, missing={}, same=same_policy),
    Aspect("lifecycle_rules", read_lifecycle, write_lifecycle, missing=[], same=same_rules),
)


def read_bucket(s3: Any, name: str) -> dict[str, Any] | None:
    """Every aspect and the tags of a bucket, None when it does not exist."""
    if not bucket_exists(s3, name):
        return None
    return {
        "name": name,
        "arn": arn_of(name),
        **{aspect.option: aspect.read(s3, name) for aspect in ASPECTS},
        "tags": read_tags(s3, name),
    }


def new_bucket(name: str) -> dict[str, Any]:
    """What ``read_bucket`` says about a bucket that has just been created, before anything is set."""
    return {"name": name, "arn": arn_of(name), **{aspect.option: aspect.missing for aspect in ASPECTS}, "tags": {}}


def arn_of(name: str) -> str:
    """ARN of a bucket in the standard partition."""
    return f"arn:aws:s3:::{name}"
