#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_bucket
short_description: Manage a private S3 bucket with its lifecycle
version_added: 0.1.0
description:
  - Creates, changes and deletes an Amazon S3 bucket for private data.
  - While S3 says that a bucket has not settled (just made, just deleted, changed by somebody else), it tries again.
  - Unlike M(amazon.aws.s3_bucket) it has a check mode and a diff, and manages lifecycle rules and access logs.
  - An option that is not set leaves the bucket's value alone.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description: Name of the bucket.
    type: str
    required: true
  block_public_access:
    description: Whether all four kinds of public access are blocked, or none.
    type: bool
  object_ownership:
    description: Who owns new objects. V(BucketOwnerEnforced) switches access control lists off.
    type: str
    choices: [BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter]
  encryption:
    description: How new objects are encrypted.
    type: dict
    suboptions:
      algorithm:
        description: V(AES256) encrypts with keys of S3's own (SSE-S3), V(aws:kms) with a KMS key (SSE-KMS).
        type: str
        choices: [AES256, aws:kms]
        required: true
      kms_key_id:
        description: Id or ARN of the KMS key, required for V(aws:kms).
        type: str
      bucket_key_enabled:
        description: Whether S3 calls KMS once for many objects. For V(aws:kms) only.
        type: bool
        default: true
  versioning:
    description: Whether overwritten and deleted objects are kept as versions. V(false) suspends it.
    type: bool
  policy:
    description: Bucket policy, compared by meaning. V({}) removes it.
    type: json
  lifecycle_rules:
    description: All lifecycle rules of the bucket, in any order. An empty list removes them.
    type: list
    elements: dict
    suboptions:
      id:
        description: Name of the rule.
        type: str
        required: true
      prefix:
        description: Start of the keys that the rule is for; empty for all.
        type: str
        default: ""
      expiration_in_days:
        description: Days after which objects are deleted (on a versioned bucket, become old versions).
        type: int
      noncurrent_version_expiration_in_days:
        description: Days after which old versions are deleted for ever.
        type: int
      abort_incomplete_multipart_upload_in_days:
        description: Days after which an upload that was never completed is discarded.
        type: int
      expired_object_delete_marker:
        description:
          - Whether the marker of a deleted object goes with the last of its old versions.
          - Not together with O(lifecycle_rules[].expiration_in_days), which does it as well.
        type: bool
  logging:
    description: Server access logging. V({}) switches it off.
    type: dict
    suboptions:
      target_bucket:
        description: Bucket of the same account and region that gets the log files. Its policy must allow S3 to write.
        type: str
      target_prefix:
        description: Start of the log files' keys.
        type: str
        default: ""
  when_not_empty:
    description:
      - What O(state=absent) does with a bucket that holds objects or old versions.
      - V(fail) ends in an error, V(keep) leaves the bucket as it is with a warning, V(purge) destroys everything in it.
    type: str
    choices: [fail, keep, purge]
    default: fail
  state:
    description: Whether the bucket exists.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A private, encrypted, versioned bucket for logs
  sm2a.airflow.s3_bucket:
    name: airflow-logs-123456789012
    block_public_access: true
    object_ownership: BucketOwnerEnforced
    encryption:
      algorithm: aws:kms
      kms_key_id: arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef
    versioning: true
    logging:
      target_bucket: airflow-access-logs-123456789012
      target_prefix: s3/airflow-logs/
    lifecycle_rules:
      - id: logs
        expiration_in_days: 90
        noncurrent_version_expiration_in_days: 7
        abort_incomplete_multipart_upload_in_days: 1

- name: Delete it with everything in it
  sm2a.airflow.s3_bucket:
    name: airflow-logs-123456789012
    state: absent
    when_not_empty: purge
"""

RETURN = r"""
bucket:
  description: The bucket after the task; in check mode as predicted. Empty when it is absent.
  returned: always
  type: dict
  contains:
    name:
      description: Name of the bucket. The other options are returned under their names as well.
      type: str
      returned: when the bucket exists
    arn:
      description: ARN of the bucket.
      type: str
      returned: when the bucket exists
    tags:
      description: Tags of the bucket.
      type: dict
      returned: when the bucket exists
"""

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.s3 import buckets as api
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.lifecycle import MARKER_OPTION, RULE_DAYS

Options = Mapping[str, Any]


def ensure_present(s3: Any, options: Options, region: str, check_mode: bool) -> Outcome:
    """Create the bucket, and set each aspect and the tags where they differ."""
    name = options["name"]
    before = api.read_bucket(s3, name)
    if before is None and not check_mode:
        api.create_bucket(s3, name, region)
    current = before or api.new_bucket(s3, name)
    after = dict(current)
    for aspect in api.ASPECTS:
        wanted = options[aspect.option]
        if wanted is None or aspect.same(current[aspect.option], wanted):
            continue
        if not check_mode:
            aspect.write(s3, name, wanted)
        after[aspect.option] = wanted
    tagging = tag_change(current["tags"], options["tags"], options["purge_tags"])
    if tagging and not check_mode:
        api.write_tags(s3, name, tagging.result)
    after["tags"] = tagging.result
    return Outcome(before != after, before or {}, after)


def ensure_absent(s3: Any, name: str, when_not_empty: str, check_mode: bool) -> Outcome:
    """Delete the bucket; one that is not empty is kept (the outcome then says so), refused, or emptied first."""
    before = api.read_bucket(s3, name)
    if before is None:
        return Outcome(False)
    if when_not_empty == "purge":
        if not check_mode:
            delete_with_contents(s3, name)
        return Outcome(True, before)
    if api.is_empty(s3, name) and (check_mode or api.delete_bucket(s3, name)):
        return Outcome(True, before)
    if when_not_empty == "keep":
        return Outcome(False, before, before)
    raise AnsibleAWSError(message=f"Bucket {name} is not empty: set when_not_empty to keep or purge")


def delete_with_contents(s3: Any, name: str) -> None:
    """Empty and delete the bucket, again when something was written to it meanwhile."""
    for _attempt in range(api.PURGES):
        api.purge(s3, name)
        if api.delete_bucket(s3, name) is not False:
            return
    raise AnsibleAWSError(message=f"Bucket {name} still receives objects: stop the writers, then run again")


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    rule = {
        "id": {"type": "str", "required": True},
        "prefix": {"type": "str", "default": ""},
        **{option: {"type": "int"} for option in RULE_DAYS},
        MARKER_OPTION: {"type": "bool"},
    }
    encryption = {
        "algorithm": {"type": "str", "choices": [api.SSE_S3, api.SSE_KMS], "required": True},
        "kms_key_id": {"type": "str"},
        "bucket_key_enabled": {"type": "bool", "default": True},
    }
    logging = {"target_bucket": {"type": "str"}, "target_prefix": {"type": "str", "default": ""}}
    owners = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]
    return {
        "name": {"type": "str", "required": True},
        "block_public_access": {"type": "bool"},
        "object_ownership": {"type": "str", "choices": owners},
        "encryption": {
            "type": "dict",
            "options": encryption,
            "required_if": [("algorithm", api.SSE_KMS, ["kms_key_id"])],
        },
        "versioning": {"type": "bool"},
        "policy": {"type": "json"},
        "lifecycle_rules": {
            "type": "list",
            "elements": "dict",
            "options": rule,
            "mutually_exclusive": [("expiration_in_days", MARKER_OPTION)],
        },
        "logging": {"type": "dict", "options": logging},
        "when_not_empty": {"type": "str", "choices": ["fail", "keep", "purge"], "default": "fail"},
        **TAG_OPTIONS,
        **STATE_OPTION,
    }


def normal(params: Options) -> dict[str, Any]:
    """The options in the shape in which a bucket is read."""
    policy, encryption, logging = params["policy"], params["encryption"], params["logging"]
    rules = params["lifecycle_rules"]
    return {
        **params,
        "lifecycle_rules": rules and [{**rule, MARKER_OPTION: bool(rule[MARKER_OPTION])} for rule in rules],
        "policy": None if policy is None else json.loads(policy),
        "encryption": None if encryption is None else api.encryption(**encryption),
        "logging": {} if logging is not None and not logging["target_bucket"] else logging,
    }


def main() -> None:
    """Manage the bucket."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    s3, options = client(module, "s3"), normal(module.params)

    def ensure() -> Outcome:
        if options["state"] == "present":
            return ensure_present(s3, options, module.region, module.check_mode)
        outcome = ensure_absent(s3, options["name"], options["when_not_empty"], module.check_mode)
        if outcome.after:
            kept = f"Bucket {options['name']} is not empty and was kept"
            module.warn(f"{kept}; set when_not_empty=purge to delete it with its contents")
        return outcome

    exit_with(module, lambda: ensure().result("bucket"))


if __name__ == "__main__":
    main()
