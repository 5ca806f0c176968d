#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

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
    description: Names of the secrets. Names without a secret are left out of the answer.
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
    arn:
      description: ARN of the secret.
      type: str
      returned: always
    version_id:
      description: Id of the current version.
      type: str
      returned: always
    description:
      description: Description of the secret.
      type: str
      returned: always
    kms_key_id:
      description: Key that encrypts the secret, none for the AWS managed one.
      type: str
      returned: always
    scheduled_for_deletion:
      description: Always V(false).
      type: bool
      returned: always
    tags:
      description: Tags of the secret.
      type: dict
      returned: always
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
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


def main() -> None:
    """Describe the secrets that are there."""
    module = AnsibleAWSModule(
        argument_spec={
            "names": {"type": "list", "elements": "str"},
            "name_prefix": {"type": "str"},
            "tags": {"type": "dict", "default": {}},
        },
        required_one_of=[("names", "name_prefix")],
        mutually_exclusive=[("names", "name_prefix")],
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "secrets": read(client(module, "secretsmanager"), module.params)})


if __name__ == "__main__":
    main()
