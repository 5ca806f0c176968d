#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_instance_wait
short_description: Wait for an RDS DB instance
version_added: 0.1.0
description:
  - Waits until an Amazon RDS DB instance is available or deleted, looking every few seconds.
  - Fails at once, with what RDS says about it, when the instance cannot become available any more.
  - In check mode it looks once and succeeds whatever it sees.
author:
  - SM2A contributors (@sm2a)
options:
  identifier:
    description: Identifier of the DB instance.
    type: str
    required: true
  until:
    description: What to wait for.
    type: str
    choices: [available, deleted]
    default: available
  timeout:
    description: Seconds after which the task fails.
    type: int
    default: 2400
  delay:
    description: Seconds between two looks.
    type: int
    default: 5
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes.info
attributes:
  check_mode:
    description: Looks once and does not wait.
"""

EXAMPLES = r"""
- name: Wait for the database
  sm2a.airflow.rds_instance_wait:
    identifier: airflow
  register: database
"""

RETURN = r"""
instance:
  description: The instance after the wait, as M(sm2a.airflow.rds_instance) returns it. Empty when it does not exist.
  returned: always
  type: dict
  sample:
    identifier: airflow
    status: available
    address: airflow.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com
    port: 5432
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.rds import instances as api
from ansible_collections.sm2a.airflow.plugins.module_utils.rds.instance_settings import view


def wait(rds: Any, options: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Wait, except in check mode, and return what the module returns."""
    if not check_mode:
        api.wait_until(rds, options["identifier"], options["until"], options["timeout"], options["delay"])
    instance = api.describe_instance(rds, options["identifier"])
    return {"changed": False, "instance": view(instance) if instance else {}}


def main() -> None:
    """Wait, then describe."""
    module = AnsibleAWSModule(
        argument_spec={
            "identifier": {"type": "str", "required": True},
            "until": {"type": "str", "choices": ["available", "deleted"], "default": "available"},
            "timeout": {"type": "int", "default": 2400},
            "delay": {"type": "int", "default": 5},
        },
        supports_check_mode=True,
    )
    exit_with(module, lambda: wait(client(module, "rds"), module.params, module.check_mode))


if __name__ == "__main__":
    main()
