# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What S3 refuses of buckets: their names, their lifecycle and their tags. Its model has no limits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from sm2a_local_aws.limits import tags
from sm2a_local_aws.limits.rules.checks import inside, items, mappings, named, number, text
from sm2a_local_aws.limits.rules.table import Parameters, Rule

GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
REFERENCE = "https://docs.aws.amazon.com/AmazonS3/latest/API/"
LIFECYCLE = f"{REFERENCE}API_LifecycleRule.html"
BUCKET_NAME = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
REFUSED = (
    r".*\.\..*",
    r"\d+\.\d+\.\d+\.\d+",
    r"(xn--|sthree-|amzn-s3-demo-).*",
    r".*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)",
)
MOST_RULES, LONGEST_ID, MOST_TAGS = 1000, 255, 50
# Storage classes that take objects of some age only.
LEAST_AGE = {"STANDARD_IA": 30, "ONEZONE_IA": 30}
# Action of a lifecycle rule -> its member that counts days.
COUNTED = {
    "Expiration": "Days",
    "NoncurrentVersionExpiration": "NoncurrentDays",
    "AbortIncompleteMultipartUpload": "DaysAfterInitiation",
}


def _lifecycle(parameters: Parameters) -> list[dict[str, Any]]:
    return mappings(inside(parameters, "LifecycleConfiguration"), "Rules")


def _identifiers(parameters: Parameters) -> str | None:
    rules = _lifecycle(parameters)
    if len(rules) > MOST_RULES:
        return f"Lifecycle configuration should have at most {MOST_RULES} rules"
    given = [text(rule, "ID") for rule in rules if rule.get("ID")]
    if any(len(one) > LONGEST_ID for one in given):
        return f"ID length should not exceed allowed limit of {LONGEST_ID}"
    return "Rule ID must be unique. Found same ID for more than one rule" if len(set(given)) < len(given) else None


def _days(parameters: Parameters) -> str | None:
    for rule in _lifecycle(parameters):
        for action, member in COUNTED.items():
            days = inside(rule, action).get(member)
            if days is not None and (number(inside(rule, action), member) or 0) < 1:
                return f"'{member}' for {action} action must be a positive integer"
    return None


def _transitions(parameters: Parameters) -> str | None:
    for move in chain.from_iterable(mappings(rule, "Transitions") for rule in _lifecycle(parameters)):
        days, kind = number(move, "Days"), text(move, "StorageClass")
        least = LEAST_AGE.get(kind, 0)
        if days is not None and days < least:
            return f"'Days' in Transition action must be greater than or equal to {least} for storageClass '{kind}'"
    return None


def _tags(parameters: Parameters) -> Iterator[tuple[str, str]]:
    for tag in mappings(inside(parameters, "Tagging"), "TagSet"):
        yield text(tag, "Key"), text(tag, "Value")


def _tag_texts(parameters: Parameters) -> str | None:
    given = list(_tags(parameters))
    if len({key for key, _value in given}) < len(given):
        return "Cannot provide multiple Tags with the same key"
    for key, value in given:
        if key.lower().startswith("aws:"):
            return "System tags cannot be added/updated by requester"
        if not tags.is_key(key):
            return "The TagKey you have provided is invalid"
        if not tags.is_value(value):
            return "The TagValue you have provided is invalid"
    return None


def _tag_count(parameters: Parameters) -> str | None:
    count = len(items(inside(parameters, "Tagging"), "TagSet"))
    return f"Bucket tag count cannot be greater than {MOST_TAGS}" if count > MOST_TAGS else None


CONFIGURED = ("PutBucketLifecycleConfiguration",)
RULES = (
    Rule(
        ("CreateBucket",),
        named("Bucket", BUCKET_NAME, "The specified bucket is not valid.", *REFUSED),
        "InvalidBucketName",
        f"{GUIDE}bucketnamingrules.html",
    ),
    Rule(CONFIGURED, _identifiers, "InvalidArgument", LIFECYCLE),
    Rule(CONFIGURED, _days, "InvalidArgument", f"{REFERENCE}API_LifecycleExpiration.html"),
    Rule(
        CONFIGURED,
        _transitions,
        "InvalidArgument",
        f"{GUIDE}lifecycle-transition-general-considerations.html",
    ),
    Rule(("PutBucketTagging",), _tag_count, "BadRequest", f"{REFERENCE}API_PutBucketTagging.html"),
    Rule(("PutBucketTagging",), _tag_texts, "InvalidTag", f"{REFERENCE}API_PutBucketTagging.html"),
)
