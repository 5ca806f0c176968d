#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_key_info
short_description: Describe one KMS key, by its alias or its tags
version_added: 0.1.0
description:
  - Reads the AWS KMS key that M(sm2a.airflow.kms_key) manages, with its policy, rotation and tags.
  - It finds the key as that module does, by its alias, else by O(lookup_tags).
author:
  - SM2A contributors (@sm2a)
options:
  alias:
    description: Alias of the key, with or without C(alias/).
    type: str
    required: true
  lookup_tags:
    description: Tags that no other key of the account and region carries.
    type: dict
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.placeholders
"""

EXAMPLES = r"""
- name: Read the key
  sm2a.airflow.kms_key_info:
    alias: airflow
    lookup_tags:
      application: airflow
  register: key
"""

RETURN = r"""
kms_keys:
  description: The key, also one that waits for its deletion; no entry when there is none, unless O(placeholders).
  returned: always
  type: list
  elements: dict
  contains:
    exists:
      description: Whether it exists; V(false) for a placeholder.
      type: bool
      returned: always
    key_id:
      description: Id of the key.
      type: str
      returned: always
    key_arn:
      description: ARN of the key.
      type: str
      returned: always
    alias:
      description: Alias, with C(alias/); none when the key has lost it.
      type: str
      returned: when the key exists
    pending_deletion:
      description: Whether the key waits for its deletion.
      type: bool
      returned: when the key exists
    policy:
      description: Key policy. What else is returned is named as RV(sm2a.airflow.kms_key#module:key).
      type: dict
      returned: when the key exists
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import kms as api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import PLACEHOLDERS_OPTION, single


def keys(module: AnsibleAWSModule, kms: Any) -> list[dict[str, Any]]:
    """The key in a list, which is empty when there is none."""
    identity = {key: str(value) for key, value in module.params["lookup_tags"].items()}
    found = api.read_key(kms, api.alias_name(module.params["alias"]), identity)
    return single(module, found, api.placeholder(kms))


def main() -> None:
    """Read the key."""
    module = AnsibleAWSModule(
        argument_spec={
            "alias": {"type": "str", "required": True},
            "lookup_tags": {"type": "dict", "required": True},
            **PLACEHOLDERS_OPTION,
        },
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "kms_keys": keys(module, client(module, "kms"))})


if __name__ == "__main__":
    main()
