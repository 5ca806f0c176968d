#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: secretsmanager_secret_info
short_description: Describe Secrets Manager secrets, without their values
version_added: 0.1.0
description:
  - Reads the metadata of AWS Secrets Manager secrets. It never reads a value.
  - Secrets that are scheduled for deletion are left out.
author:
  - SM2A contributors (@sm2a)
options:
  names:
    description: Names of the secrets. Names without a secret are left out of the answer, unless O(placeholders).
    type: list
    elements: str
  name_prefix:
    description: Start of the names of the secrets.
    type: str
  tags:
    description: Only secrets that carry these tags.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.placeholders
"""

EXAMPLES = r"""
- name: The secrets of one environment
  sm2a.airflow.secretsmanager_secret_info:
    name_prefix: airflow/
  register: airflow_secrets
"""

RETURN = r"""
secrets:
  description: The secrets found; those asked for by name in the order of O(names).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the secret.
      type: str
      returned: always
    exists:
      description: Whether it exists; V(false) for a placeholder.
      type: bool
      returned: always
    arn:
      description: ARN of the secret.
      type: str
      returned: always
    version_id:
      description: Id of the current version.
      type: str
      returned: when the secret exists
    description:
      description: Description of the secret.
      type: str
      returned: when the secret exists
    kms_key_id:
      description: Key that encrypts the secret, none for the AWS managed one.
      type: str
      returned: when the secret exists
    scheduled_for_deletion:
      description: Always V(false).
      type: bool
      returned: when the secret exists
    tags:
      description: Tags of the secret.
      type: dict
      returned: when the secret exists
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import PLACEHOLDERS_OPTION, listed
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager import api


def find(secretsmanager: Any, names: list[str] | None, name_prefix: str) -> list[dict[str, Any]]:
    """Metadata by name, or of everything under a prefix."""
    if names is None:
        return [api.view(secret) for secret in api.list_secrets(secretsmanager, name_prefix)]
    described = [api.describe_secret(secretsmanager, name) for name in names]
    return [api.view(secret) for secret in described if secret]


def read(secretsmanager: Any, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Those found that carry the tags and are not on their way out."""
    wanted = {key: str(value) for key, value in params["tags"].items()}
    found = find(secretsmanager, params["names"], params["name_prefix"])
    return [
        secret for secret in found if not secret["scheduled_for_deletion"] and wanted.items() <= secret["tags"].items()
    ]


def secrets(module: AnsibleAWSModule, secretsmanager: Any) -> list[dict[str, Any]]:
    """The secrets that are asked for."""
    found = read(secretsmanager, module.params)
    # Which names a prefix will have once, nobody knows.
    names = module.params["names"] or [secret["name"] for secret in found]
    return listed(module, found, names, lambda name: {"arn": api.secret_placeholder_arn(secretsmanager, name)})


def main() -> None:
    """Describe the secrets that are there."""
    module = AnsibleAWSModule(
        argument_spec={
            "names": {"type": "list", "elements": "str"},
            "name_prefix": {"type": "str"},
            "tags": {"type": "dict", "default": {}},
            **PLACEHOLDERS_OPTION,
        },
        required_one_of=[("names", "name_prefix")],
        mutually_exclusive=[("names", "name_prefix")],
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "secrets": secrets(module, client(module, "secretsmanager"))})


if __name__ == "__main__":
    main()
