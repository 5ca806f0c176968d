#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_bucket
short_description: Manage a private S3 bucket with its lifecycle
version_added: 0.1.0
description:
  - Creates, changes and deletes an Amazon S3 bucket for private data.
  - Unlike M(amazon.aws.s3_bucket) it has a check mode and a diff, and manages lifecycle rules.
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
  kms_key_id:
    description: Id, ARN or alias of the KMS key that encrypts new objects, through a bucket key.
    type: str
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
    kms_key_id: alias/airflow
    versioning: true
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
from ansible_collections.sm2a.airflow.plugins.module_utils import s3 as api
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    Outcome,
    client,
    exit_with,
    tag_change,
)

Options = Mapping[str, Any]


def ensure_present(s3: Any, options: Options, region: str, check_mode: bool) -> Outcome:
    """Create the bucket, and set each aspect and the tags where they differ."""
    name = options["name"]
    before = api.read_bucket(s3, name)
    if before is None and not check_mode:
        api.create_bucket(s3, name, region)
    current = before or api.new_bucket(name)
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
    if not api.is_empty(s3, name):
        if when_not_empty == "keep":
            return Outcome(False, before, before)
        if when_not_empty == "fail":
            raise AnsibleAWSError(message=f"Bucket {name} is not empty: set when_not_empty to keep or purge")
        if not check_mode:
            api.purge(s3, name)
    if not check_mode:
        api.delete_bucket(s3, name)
    return Outcome(True, before)


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    rule = {
        "id": {"type": "str", "required": True},
        "prefix": {"type": "str", "default": ""},
        **{option: {"type": "int"} for option in api.RULE_DAYS},
    }
    owners = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]
    return {
        "name": {"type": "str", "required": True},
        "block_public_access": {"type": "bool"},
        "object_ownership": {"type": "str", "choices": owners},
        "kms_key_id": {"type": "str"},
        "versioning": {"type": "bool"},
        "policy": {"type": "json"},
        "lifecycle_rules": {"type": "list", "elements": "dict", "options": rule},
        "when_not_empty": {"type": "str", "choices": ["fail", "keep", "purge"], "default": "fail"},
        **TAG_OPTIONS,
        **STATE_OPTION,
    }


def main() -> None:
    """Manage the bucket."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    s3 = client(module, "s3")
    policy = module.params["policy"]
    options = {**module.params, "policy": None if policy is None else json.loads(policy)}

    def ensure() -> Outcome:
        if options["state"] == "present":
            return ensure_present(s3, options, module.region, module.check_mode)
        outcome = ensure_absent(s3, options["name"], options["when_not_empty"], module.check_mode)
        if outcome.after:
            module.warn(f"Bucket {options['name']} is not empty and was kept")
        return outcome

    exit_with(module, lambda: ensure().result("bucket"))


if __name__ == "__main__":
    main()
