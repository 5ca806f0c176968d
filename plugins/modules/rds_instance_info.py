#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_instance_info
short_description: Describe an RDS DB instance
version_added: 0.1.0
description:
  - Reads an Amazon RDS DB instance, and what of it waits for the maintenance window or for a reboot.
author:
  - SM2A contributors (@sm2a)
options:
  identifier:
    description: Identifier of the DB instance.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
  - sm2a.airflow.placeholders
"""

EXAMPLES = r"""
- name: Read the database
  sm2a.airflow.rds_instance_info:
    identifier: airflow
  register: database
"""

RETURN = r"""
instances:
  description:
    - The instance, whatever its status; no entry when there is none, unless O(placeholders).
    - What is not listed here is named as the options of M(sm2a.airflow.rds_instance).
  returned: always
  type: list
  elements: dict
  contains:
    identifier:
      description: Its identifier.
      type: str
      returned: always
    exists:
      description: Whether it exists; V(false) for a placeholder.
      type: bool
      returned: always
    address:
      description: Its address, none while it is being created.
      type: str
      returned: always
    master_user_secret_arn:
      description: Secret in which RDS keeps the master password, none when RDS does not manage it.
      type: str
      returned: always
    status:
      description: Its status.
      type: str
      returned: when the instance exists
    pending_changes:
      description: What RDS will change in the maintenance window, by name.
      type: list
      elements: str
      returned: when the instance exists
    parameters_pending_reboot:
      description: Whether changed parameters wait for a reboot.
      type: bool
      returned: when the instance exists
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import (
    ACCOUNT,
    ID,
    PLACEHOLDERS_OPTION,
    placeholder_arn,
    single,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.rds.instance_settings import view
from ansible_collections.sm2a.airflow.plugins.module_utils.rds.instances import describe_instance


def identifiers(rds: Any, identifier: str) -> dict[str, str]:
    """Made-up ones of an instance whose master password RDS manages."""
    return {
        "identifier": identifier,
        "address": f"{identifier}.{ACCOUNT}.{rds.meta.region_name}.rds.amazonaws.com",
        "master_user_secret_arn": placeholder_arn(rds, f"secret:rds!db-{ID}-000000", service="secretsmanager"),
    }


def instances(module: AnsibleAWSModule, rds: Any) -> list[dict[str, Any]]:
    """The instance in a list, which is empty when there is none."""
    identifier = module.params["identifier"]
    found = describe_instance(rds, identifier)
    return single(module, view(found) if found else None, identifiers(rds, identifier))


def main() -> None:
    """Read the instance."""
    module = AnsibleAWSModule(
        argument_spec={"identifier": {"type": "str", "required": True}, **PLACEHOLDERS_OPTION},
        supports_check_mode=True,
    )
    exit_with(module, lambda: {"changed": False, "instances": instances(module, client(module, "rds"))})


if __name__ == "__main__":
    main()
