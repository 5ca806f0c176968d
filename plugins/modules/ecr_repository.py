#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repository
short_description: Manage Amazon ECR repositories
version_added: 0.1.0
description:
  - Creates, changes and deletes private ECR repositories, several alike ones in one task.
  - An option that is not set leaves the repository's value alone.
author:
  - SM2A contributors (@sm2a)
options:
  names:
    description: Names of the repositories; all get the same settings.
    type: list
    elements: str
    required: true
  image_tag_mutability:
    description: Whether a tag may be moved to another image.
    type: str
    choices: [MUTABLE, IMMUTABLE]
  scan_on_push:
    description: Whether ECR looks for known weaknesses in each pushed image.
    type: bool
  lifecycle_policy:
    description: Which images expire, as ECR's policy document, compared by meaning. V({}) removes it.
    type: json
  kms_key:
    description:
      - Id, ARN or alias of the KMS key that encrypts the images.
      - AWS fixes it when the repository is created; a different key for an existing repository is an error.
    type: str
  force:
    description: With O(state=absent), delete the images of the repository as well. Without it, images are an error.
    type: bool
    default: false
  state:
    description: Whether the repositories exist.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: Keep the last twenty images of two repositories
  sm2a.airflow.ecr_repository:
    names: [staging/airflow, staging/autoscaler]
    image_tag_mutability: IMMUTABLE
    scan_on_push: true
    lifecycle_policy:
      rules:
        - rulePriority: 1
          selection: {tagStatus: any, countType: imageCountMoreThan, countNumber: 20}
          action: {type: expire}

- name: Remove a repository with its images
  sm2a.airflow.ecr_repository:
    names: [staging/airflow]
    state: absent
    force: true
"""

RETURN = r"""
repositories:
  description: The repositories, in the order of O(names).
  type: list
  returned: always
  elements: dict
  contains:
    name:
      description: Name of the repository.
      type: str
      returned: always
    changed:
      description: Whether this repository changed.
      type: bool
      returned: always
    uri:
      description: What image names start with; predicted in check mode for a repository to be created.
      type: str
      returned: when the repository exists
    arn:
      description: ARN of the repository; predicted in check mode for a repository to be created.
      type: str
      returned: when the repository exists
    image_tag_mutability:
      description: V(MUTABLE) or V(IMMUTABLE).
      type: str
      returned: when the repository exists
    scan_on_push:
      description: Whether pushed images are scanned.
      type: bool
      returned: when the repository exists
    kms_key:
      description: ARN of the KMS key; empty when ECR encrypts with a key of its own.
      type: str
      returned: when the repository exists
    lifecycle_policy:
      description: The policy document, V({}) when there is none.
      type: dict
      returned: when the repository exists
    tags:
      description: Tags of the repository.
      type: dict
      returned: when the repository exists
"""

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils import ecr as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, list_result

Options = Mapping[str, Any]


def wanted(options: Options) -> dict[str, Any]:
    """Settings that are to be enforced, under their returned names."""
    names = ("image_tag_mutability", "scan_on_push")
    settings = {name: options[name] for name in names if options[name] is not None}
    if options["lifecycle_policy"] is not None:
        settings["lifecycle_policy"] = json.loads(options["lifecycle_policy"])
    return settings


def require_same_key(before: Options, kms_key: str | None) -> None:
    """AnsibleAWSError when the repository exists with another key; ids and aliases match the end of an ARN."""
    if kms_key and before["kms_key"] and not before["kms_key"].endswith(kms_key) and "alias/" not in kms_key:
        raise AnsibleAWSError(
            message=f"The repository {before['name']} is encrypted with {before['kms_key']}, which AWS cannot change; "
            "keep that key, or delete the repository first"
        )


def ensure_present(ecr: Any, name: str, options: Options, new: Options, check_mode: bool) -> Outcome:
    """Create the repository, or change the settings and tags that differ. ``new`` predicts its uri and arn."""
    before = api.read_repository(ecr, name)
    if before is None:
        return create(ecr, name, options, new, check_mode)
    require_same_key(before, options["kms_key"])
    changes = {key: value for key, value in wanted(options).items() if before[key] != value}
    tagging = tag_change(before["tags"], options["tags"], options["purge_tags"])
    if not check_mode:
        if "image_tag_mutability" in changes:
            api.put_mutability(ecr, name, changes["image_tag_mutability"])
        if "scan_on_push" in changes:
            api.put_scanning(ecr, name, changes["scan_on_push"])
        if "lifecycle_policy" in changes:
            api.put_lifecycle_policy(ecr, name, changes["lifecycle_policy"])
        api.change_tags(ecr, before["arn"], tagging.set, tagging.remove)
    return Outcome(bool(changes or tagging), before, {**before, **changes, "tags": tagging.result})


def create(ecr: Any, name: str, options: Options, new: Options, check_mode: bool) -> Outcome:
    """Create the repository with all its settings."""
    settings = wanted(options)
    request: dict[str, Any] = {"repositoryName": name}
    if "image_tag_mutability" in settings:
        request["imageTagMutability"] = settings["image_tag_mutability"]
    if "scan_on_push" in settings:
        request["imageScanningConfiguration"] = {"scanOnPush": settings["scan_on_push"]}
    if options["kms_key"]:
        request["encryptionConfiguration"] = {"encryptionType": "KMS", "kmsKey": options["kms_key"]}
    tags = {key: str(value) for key, value in (options["tags"] or {}).items()}
    policy = settings.get("lifecycle_policy", {})
    if check_mode:
        return Outcome(True, {}, api.view({**new, **request}, policy, tags))
    made = api.create_repository(ecr, {**request, "tags": ansible_dict_to_boto3_tag_list(tags)})
    if policy:
        api.put_lifecycle_policy(ecr, name, policy)
    return Outcome(True, {}, api.view({**request, **made}, policy, tags))


def ensure_absent(ecr: Any, name: str, force: bool, check_mode: bool) -> Outcome:
    """Delete the repository when it exists; AnsibleAWSError when it holds images and ``force`` is not set."""
    before = api.read_repository(ecr, name)
    if before is None:
        return Outcome(False)
    if not force and api.holds_images(ecr, name):
        raise AnsibleAWSError(message=f"The repository {name} holds images; set force to delete it with its images")
    if not check_mode:
        api.delete_repository(ecr, name, force)
    return Outcome(True, before)


def argument_spec() -> dict[str, Any]:
    """The options as AnsibleModule wants them."""
    return {
        "names": {"type": "list", "elements": "str", "required": True},
        "image_tag_mutability": {"type": "str", "choices": ["MUTABLE", "IMMUTABLE"]},
        "scan_on_push": {"type": "bool"},
        "lifecycle_policy": {"type": "json"},
        "kms_key": {"type": "str", "no_log": False},
        "force": {"type": "bool", "default": False},
        **TAG_OPTIONS,
        **STATE_OPTION,
    }


def main() -> None:
    """Manage each repository of the list and report per repository."""
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    ecr, options, check_mode = client(module, "ecr"), module.params, module.check_mode

    def ensure(name: str) -> Outcome:
        if options["state"] == "absent":
            return ensure_absent(ecr, name, options["force"], check_mode)
        new = api.new_repository(client(module, "sts"), module.region, name) if check_mode else {}
        return ensure_present(ecr, name, options, new, check_mode)

    exit_with(module, lambda: list_result({name: ensure(name) for name in options["names"]}, "repositories"))


if __name__ == "__main__":
    main()
